// Durations in the notation of Go and Compose (`500ms`, `15m`, `1h30m`), as milliseconds.

const unitMs: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const part = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/y

/**
 * Parses `1h30m`, `90s`, `250ms`; `0` means off.
 *
 * @returns milliseconds, rounded, but more than 0 for a time that is more; `undefined` when the text is not a duration
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim()
  if (trimmed === '0') return 0
  if (trimmed === '') return undefined
  let total = 0
  part.lastIndex = 0
  while (part.lastIndex < trimmed.length) {
    const match = part.exec(trimmed)
    if (match === null) return undefined
    total += Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN)
  }
  // Zero would turn off what was to happen very soon.
  return total > 0 ? Math.max(1, Math.round(total)) : 0
}

/** Writes milliseconds for people: `1h 30m`, `12s`, `400ms`. At most two units. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`
  let rest = Math.round(ms / 1_000)
  const words: string[] = []
  for (const [unit, seconds] of [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ] as const) {
    const count = Math.floor(rest / seconds)
    rest -= count * seconds
    if (count > 0) words.push(`${count}${unit}`)
  }
  return words.slice(0, 2).join(' ')
}
