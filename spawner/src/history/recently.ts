// Remembers for a while what was seen, of a bounded number of things. The oldest is forgotten first.

export interface Recently {
  /** Marks it as seen now. @returns whether it was not seen for the time */
  isNew(key: string): boolean
  /** Marks it as seen now. */
  mark(key: string): void
}

export function createRecently(deps: { now: () => number; forMs: number; most: number }): Recently {
  const seenAt = new Map<string, number>()

  function mark(key: string): void {
    // The latest is at the end.
    seenAt.delete(key)
    seenAt.set(key, deps.now())
    if (seenAt.size <= deps.most) return
    const [oldest] = seenAt.keys()
    if (oldest !== undefined) seenAt.delete(oldest)
  }

  return {
    mark,
    isNew(key) {
      const at = seenAt.get(key)
      mark(key)
      return at === undefined || deps.now() - at > deps.forMs
    },
  }
}
