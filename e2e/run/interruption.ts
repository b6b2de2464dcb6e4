// Clean-up that must also run when the tests are interrupted. After an interruption the process cleans up and ends.

const standing = new Set<() => Promise<void>>()
let watching = false

/** @returns a function that cleans up once, however often it is called */
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
      // The newest first: it may depend on what was created before it.
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
