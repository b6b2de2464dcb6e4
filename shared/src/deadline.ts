// A deadline as an abort signal, for any length of time that a computation may give.

/** The longest that a timer of Node keeps: it fires at once for anything longer. */
const longestMs = 2 ** 31 - 1

/**
 * `AbortSignal.timeout` throws for a fraction of a millisecond and for a negative number. Neither is a reason to fail:
 * a fraction is rounded up, and a time that has passed already aborts at once.
 *
 * @param ms milliseconds from now
 */
export function abortAfter(ms: number): AbortSignal {
  return AbortSignal.timeout(Math.min(longestMs, Math.max(0, Math.ceil(ms))))
}
