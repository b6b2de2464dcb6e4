// Time that passes, as it is given to what has to wait: tests hand in a clock that they move themselves.

/** Runs something after so many milliseconds, unless disposed before. */
export type After = (ms: number, run: () => void) => Disposable

/** Keeps no process alive. */
export const systemAfter: After = (ms, run) => {
  const timer = setTimeout(run, ms)
  timer.unref()
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
