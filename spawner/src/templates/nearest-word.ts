// Finds the known word that the author of an unknown word may have meant.

/** @returns the most similar known word; `undefined` if none is similar */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  const wanted = plain(word)
  let best: string | undefined
  let least = Math.max(2, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const away = distance(wanted, plain(candidate))
    if (away >= least || away >= wanted.length) continue
    best = candidate
    least = away
  }
  return best
}

/** As words are compared here: small letters and digits alone. */
export const plain = (word: string): string => word.toLowerCase().replace(/[^a-z0-9]/g, '')

/** The number of letters that are added, left out, replaced, or swapped with the next one (optimal string alignment). */
export function distance(a: string, b: string): number {
  let before: readonly number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (const [at, letter] of [...a].entries()) {
    const next = [at + 1]
    for (const [index, other] of [...b].entries()) {
      const isSwapped = letter === b[index - 1] && other === a[at - 1]
      next.push(
        Math.min(
          (next[index] ?? 0) + 1,
          (row[index + 1] ?? 0) + 1,
          (row[index] ?? 0) + (letter === other ? 0 : 1),
          isSwapped ? (before[index - 1] ?? 0) + 1 : Infinity,
        ),
      )
    }
    before = row
    row = next
  }
  return row[b.length] ?? 0
}
