// Every wait ends, and says what was waited for.
import { setTimeout as sleep } from 'node:timers/promises'

export class DeadlineError extends Error {
  constructor(what: string, ms: number, last?: unknown) {
    super(`not within ${ms / 1000} s: ${what}`, last === undefined ? undefined : { cause: last })
    this.name = 'DeadlineError'
  }
}

export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new DeadlineError(what, ms)), ms)
  try {
    return await Promise.race([promise, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * For what nobody tells of: looks again and again until the look gives something.
 * A look that throws has not seen it yet; the last such error is the cause of the failure.
 */
export async function eventually<T>(
  what: string,
  withinMs: number,
  look: () => Promise<T | undefined | false>,
): Promise<T> {
  const until = performance.now() + withinMs
  let last: unknown
  for (;;) {
    try {
      const seen = await within(withinMs, what, look())
      if (seen !== undefined && seen !== false) return seen
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() > until) throw new DeadlineError(what, withinMs, last)
    await sleep(100)
  }
}

/** A stretch of time that is itself what is tested: a limit that must pass, or must not have an effect. */
export async function letPass(ms: number): Promise<void> {
  await sleep(ms)
}
