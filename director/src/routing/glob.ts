// Patterns in which `*` stands for any number of characters. Matching takes linear time: it never backtracks.

export type Matches = (text: string) => boolean

export function createGlob(pattern: string): Matches {
  const parts = pattern.split('*')
  const first = parts[0] ?? ''
  const last = parts.at(-1) ?? ''
  if (parts.length === 1) return (text) => text === first
  const middle = parts.slice(1, -1).filter((part) => part !== '')

  return (text) => {
    const end = text.length - last.length
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let from = first.length
    for (const part of middle) {
      // The leftmost match is always at least as good as a later one.
      const found = text.indexOf(part, from)
      if (found === -1 || found + part.length > end) return false
      from = found + part.length
    }
    return true
  }
}
