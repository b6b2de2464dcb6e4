// One call for all callers that need the same result at the same time. Later callers join it. It is aborted when all
// callers have left.

export interface SharedCalls<Result, Report> {
  /**
   * Joins the call of that key, or begins it. Rejects with the reason of `signal` as soon as that aborts, and with the
   * error of the call. A result is not kept.
   */
  join(
    key: string,
    begin: (signal: AbortSignal, report: (value: Report) => void) => Promise<Result>,
    caller: {
      readonly signal: AbortSignal
      /** Called with the last report so far, and with each later one. */
      readonly onReport?: (value: Report) => void
    },
  ): Promise<Result>
}

interface SharedCall<Result, Report> {
  readonly callers: Set<(value: Report) => void>
  readonly ends: AbortController
  readonly result: Promise<Result>
  lastReport?: { readonly value: Report }
}

export function createSharedCalls<Result, Report = never>(): SharedCalls<Result, Report> {
  const calls = new Map<string, SharedCall<Result, Report>>()

  function open(
    key: string,
    begin: (signal: AbortSignal, report: (value: Report) => void) => Promise<Result>,
  ): SharedCall<Result, Report> {
    const ends = new AbortController()
    const callers = new Set<(value: Report) => void>()
    const report = (value: Report): void => {
      call.lastReport = { value }
      for (const hear of callers) hear(value)
    }
    const result = Promise.resolve()
      .then(() => begin(ends.signal, report))
      .finally(() => forget(key, call))
    const call: SharedCall<Result, Report> = { callers, ends, result }
    calls.set(key, call)
    return call
  }

  function forget(key: string, call: SharedCall<Result, Report>): void {
    if (calls.get(key) === call) calls.delete(key)
  }

  return {
    async join(key, begin, { signal, onReport }) {
      signal.throwIfAborted()
      const call = calls.get(key) ?? open(key, begin)
      // A function of this caller alone: the same `onReport` may join twice.
      const hear = (value: Report): void => onReport?.(value)
      if (call.lastReport !== undefined) hear(call.lastReport.value)
      call.callers.add(hear)
      const left = Promise.withResolvers<never>()
      const leave = (): void => left.reject(signal.reason as Error)
      signal.addEventListener('abort', leave, { once: true })
      try {
        return await Promise.race([call.result, left.promise])
      } finally {
        signal.removeEventListener('abort', leave)
        call.callers.delete(hear)
        if (call.callers.size === 0) {
          forget(key, call)
          call.ends.abort(signal.reason)
        }
      }
    },
  }
}
