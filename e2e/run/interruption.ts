// What must be taken down even when the run is interrupted. Interrupted, the process takes it down and ends.

const standing = new Set<() => Promise<void>>()
let watching = false

/** @returns a function that takes it down once, whoever calls first */
export function takenDownAtTheEnd(takeDown: () => Promise<void>): () => Promise<void> {
  watch()
  let under: Promise<void> | undefined
  const once = (): Promise<void> => (under ??= takeDown().finally(() => standing.delete(once)))
  standing.add(once)
  return once
}

function watch(): void {
  if (watching) return
  watching = true
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      // The newest first: what was brought up last may stand on what came before.
      const all = [...standing].reverse()
      void (async () => {
        for (const takeDown of all) {
          await takeDown().catch((error: unknown) => process.stderr.write(`${String(error)}\n`))
        }
        process.exit(130)
      })()
    })
  }
}
