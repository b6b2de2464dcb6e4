// A timer as the loop is given it, so that tests decide when it rings.

/** Calls back once after so many milliseconds, unless disposed before. */
export type SetTimer = (ms: number, ring: () => void) => Disposable

/** Node takes more than this for 1 ms. */
const longestMs = 2 ** 31 - 1

export const systemTimer: SetTimer = (ms, ring) => {
  const timer = setTimeout(ring, Math.min(ms, longestMs))
  return { [Symbol.dispose]: () => clearTimeout(timer) }
}
