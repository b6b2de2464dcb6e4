// A clock and its timers whose hands the tests hold.
import type { Clock } from '@berth/shared/clock'
import type { SetTimer } from '../timer.ts'

export interface FakeTime {
  readonly clock: Clock
  readonly setTimer: SetTimer
  /** Rings what falls due on the way, in order. */
  advance(ms: number): void
  readonly pending: () => number
}

export function createFakeTime(): FakeTime {
  let now = 1_000
  const timers = new Set<{ readonly at: number; readonly ring: () => void }>()

  return {
    clock: { now: () => now, wall: () => 1_700_000_000_000 + now },
    setTimer(ms, ring) {
      const timer = { at: now + ms, ring }
      timers.add(timer)
      return { [Symbol.dispose]: () => void timers.delete(timer) }
    },
    advance(ms) {
      const until = now + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        timers.delete(next)
        now = next.at
        next.ring()
      }
      now = until
    },
    pending: () => timers.size,
  }
}
