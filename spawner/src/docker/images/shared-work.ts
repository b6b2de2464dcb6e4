// Work that many wait for and is done once: those who come later join it, and it ends when all have left.

export interface SharedWork<Report, Result> {
  /** @param begin starts the work; its signal aborts when nobody waits any more */
  join(
    key: string,
    begin: (report: (value: Report) => void, signal: AbortSignal) => Promise<Result>,
    onReport: (value: Report) => void,
    signal: AbortSignal,
  ): Promise<Result>
}

interface Job<Report, Result> {
  readonly listeners: Set<(value: Report) => void>
  readonly ends: AbortController
  readonly result: Promise<Result>
  last?: { readonly value: Report }
}

export function createSharedWork<Report, Result>(): SharedWork<Report, Result> {
  const jobs = new Map<string, Job<Report, Result>>()

  function open(
    key: string,
    begin: (report: (value: Report) => void, signal: AbortSignal) => Promise<Result>,
  ): Job<Report, Result> {
    const ends = new AbortController()
    const listeners = new Set<(value: Report) => void>()
    const report = (value: Report): void => {
      job.last = { value }
      for (const listener of listeners) listener(value)
    }
    const result = Promise.resolve()
      .then(() => begin(report, ends.signal))
      .finally(() => close(key, job))
    const job: Job<Report, Result> = { listeners, ends, result }
    jobs.set(key, job)
    return job
  }

  function close(key: string, job: Job<Report, Result>): void {
    if (jobs.get(key) === job) jobs.delete(key)
  }

  return {
    async join(key, begin, onReport, signal) {
      signal.throwIfAborted()
      const job = jobs.get(key) ?? open(key, begin)
      // One of its own: the same function may join twice.
      const listener = (value: Report): void => onReport(value)
      if (job.last !== undefined) listener(job.last.value)
      job.listeners.add(listener)
      const left = Promise.withResolvers<never>()
      const leave = (): void => left.reject(signal.reason as Error)
      signal.addEventListener('abort', leave, { once: true })
      try {
        return await Promise.race([job.result, left.promise])
      } finally {
        signal.removeEventListener('abort', leave)
        job.listeners.delete(listener)
        if (job.listeners.size === 0) {
          close(key, job)
          job.ends.abort(signal.reason)
        }
      }
    },
  }
}
