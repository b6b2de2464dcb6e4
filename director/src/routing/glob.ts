// Patterns in which `*` stands for any number of characters, and `{name}` for one segment of a path. Matching takes linear
// time: it never backtracks.

export type Matches = (text: string) => boolean

/** Literal texts with one segment between each two. A segment begins after a slash, so a part has at most one end. */
type Part = readonly string[]

/** A whole segment: braces anywhere else are themselves. */
const segments = /(?<=\/)\{\w+\}(?=\/|$)/g
/** Stands for a segment meanwhile. No path and no pattern has it. */
const mark = '\0'

export function createGlob(pattern: string): Matches {
  const marked = pattern.replace(segments, mark)
  const parts = marked.split('*').map((part): Part => part.split(mark))
  const first = parts[0] ?? []
  const last = parts.at(-1) ?? []
  if (parts.length === 1) return (text) => endOf(first, text, 0) === text.length
  const middle = parts.slice(1, -1)

  return (text) => {
    let from = endOf(first, text, 0)
    for (const part of middle) {
      if (from === undefined) return false
      // The leftmost match is always at least as good as a later one.
      from = firstEnd(part, text, from)
    }
    return from !== undefined && endsWith(last, text, from)
  }
}

/** Where the part ends that begins at that place. */
function endOf(part: Part, text: string, at: number): number | undefined {
  let end = at
  for (const [index, literal] of part.entries()) {
    if (index > 0) {
      const slash = text.indexOf('/', end)
      const next = slash === -1 ? text.length : slash
      if (next === end) return undefined
      end = next
    }
    if (!text.startsWith(literal, end)) return undefined
    end += literal.length
  }
  return end
}

function firstEnd(part: Part, text: string, from: number): number | undefined {
  for (const at of placesOf(part, text, from)) {
    const end = endOf(part, text, at)
    if (end !== undefined) return end
  }
  return undefined
}

function endsWith(part: Part, text: string, from: number): boolean {
  if (part.length === 1) {
    const at = text.length - (part[0] ?? '').length
    return at >= from && endOf(part, text, at) === text.length
  }
  for (const at of placesOf(part, text, from))
    if (endOf(part, text, at) === text.length) return true
  return false
}

function* placesOf([literal = '']: Part, text: string, from: number): Iterable<number> {
  for (let at = text.indexOf(literal, from); at !== -1; at = text.indexOf(literal, at + 1)) yield at
}
