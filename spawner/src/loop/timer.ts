// A timer as the loop is given it, so that tests decide when it rings.

/** Calls back once after so many milliseconds, unless disposed before. */
export type SetTimer = (ms: number, ring: () => void) => Disposable

export const systemTimer: SetTimer = (ms, ring) => {
  const timer = setTimeout(ring, ms)
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
