// A clock and timers that tests move by hand.
import { createClock, type Clock } from '../clock.ts'
import type { SetTimer } from '../timer.ts'

export interface FakeTime {
  readonly clock: Clock
  readonly setTimer: SetTimer
  /** Moves the clock on, and runs the timers that fall due on the way, in their order. */
  advance(ms: number): void
  /** The same for code that awaits: promises are given time to resolve before and after each timer. */
  pass(ms: number): Promise<void>
  /** How many timers are set. */
  readonly pending: () => number
}

export function createFakeTime(): FakeTime {
  let now = 1_000
  const timers = new Set<{ readonly at: number; readonly run: () => void }>()

  /** @returns whether there was one */
  function runNext(until: number): boolean {
    const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
    if (next === undefined) return false
    timers.delete(next)
    now = Math.max(now, next.at)
    next.run()
    return true
  }

  async function resolvePromises(): Promise<void> {
    // Whole turns of the event loop: promises may wait for each other.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  return {
    clock: createClock(
      () => now,
      () => 1_700_000_000_000 + now,
    ),
    setTimer(ms, run) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return { [Symbol.dispose]: () => void timers.delete(timer) }
    },
    advance(ms) {
      const until = now + ms
      while (runNext(until));
      now = until
    },
    async pass(ms) {
      const until = now + ms
      do await resolvePromises()
      while (runNext(until))
      now = until
      await resolvePromises()
    },
    pending: () => timers.size,
  }
}
