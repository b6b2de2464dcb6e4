// Time that passes, as it is given to what has to wait: tests hand in a clock that they move themselves.

/** Runs something after so many milliseconds, unless disposed before. */
export type After = (ms: number, run: () => void) => Disposable

/** Keeps no process alive. */
export const systemAfter: After = (ms, run) => {
  const timer = setTimeout(run, ms)
  timer.unref()
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}

/** Resolves after so long, or when the signal aborts. */
export async function pause(after: After, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const over = Promise.withResolvers<void>()
  const end = (): void => over.resolve()
  const timer = after(ms, end)
  signal.addEventListener('abort', end, { once: true })
  await over.promise
  timer[Symbol.dispose]()
  signal.removeEventListener('abort', end)
}
