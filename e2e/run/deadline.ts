// Waits with a deadline. The error names what was waited for.
import { setTimeout as sleep } from 'node:timers/promises'

export class DeadlineError extends Error {
  constructor(what: string, ms: number, last?: unknown) {
    const met = last instanceof Error ? `; the last look met: ${last.message}` : ''
    super(
      `not within ${ms / 1000} s: ${what}${met}`,
      last === undefined ? undefined : { cause: last },
    )
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
 * Polls for a condition that no event reports, until `look` returns a value.
 * An error of `look` means "not yet"; the last one becomes the cause of the failure.
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

/** Waits for a time that is itself under test: a limit that must pass, or that must have no effect. */
export async function letPass(ms: number): Promise<void> {
  await sleep(ms)
}
