// Timers, as they are given to the parts that have to wait: tests pass in timers that they move by hand.

/** Runs something once after so many milliseconds, unless disposed before. */
export type SetTimer = (ms: number, run: () => void) => Disposable

/** Node runs a timer with a longer time after 1 ms. */
const longestMs = 2 ** 31 - 1

export const systemTimer: SetTimer = (ms, run) => {
  const timer = setTimeout(run, Math.min(ms, longestMs))
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}

/** Resolves after so many milliseconds, or when the signal aborts. */
export async function pause(setTimer: SetTimer, ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const over = Promise.withResolvers<void>()
  const end = (): void => over.resolve()
  const timer = setTimer(ms, end)
  signal.addEventListener('abort', end, { once: true })
  await over.promise
  timer[Symbol.dispose]()
  signal.removeEventListener('abort', end)
}
