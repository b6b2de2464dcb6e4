// A clock and timers that tests move by hand. Used by tests only.
import type { Clock } from '@berth/shared/clock'
import type { After } from '../leases/timer.ts'

export interface FakeTime {
  readonly clock: Clock
  readonly after: After
  /** Moves on, and runs what falls due on the way, in its order. */
  pass(ms: number): Promise<void>
}

export function createFakeTime(start = 1_000): FakeTime {
  let now = start
  const timers = new Set<{ at: number; run: () => void }>()

  async function runPending(): Promise<void> {
    // Whole turns of the event loop: promises wait for each other, however deep.
    for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  return {
    clock: { now: () => now, wall: () => now },
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return { [Symbol.dispose]: () => void timers.delete(timer) }
    },
    async pass(ms) {
      const end = now + ms
      await runPending()
      for (;;) {
        const next = [...timers].sort((a, b) => a.at - b.at).find((timer) => timer.at <= end)
        if (next === undefined) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.run()
        await runPending()
      }
      now = end
      await runPending()
    },
  }
}
