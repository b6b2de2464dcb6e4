// The clock, as it is given to the other parts: tests pass in a clock that they move by hand.
import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Milliseconds that never decrease, from an arbitrary start. Leases, idleness and deadlines count in it. */
  now(): number
  /** Milliseconds since 1970, which may jump. Only for labels, logs and people. */
  wall(): number
  /** The wall time of a moment of `now()`, as people are told it: exactly the same at each call, as long as the wall clock
   * does not jump. */
  wallOf(moment: number): number
}

/** Below this difference the two clocks only tick at another rate, and people are told the same time as before. */
const jumpMs = 1_000

export function createClock(now: () => number, wall: () => number): Clock {
  let offset = wall() - now()
  return {
    now,
    wall,
    wallOf(moment) {
      const latest = wall() - now()
      if (Math.abs(latest - offset) > jumpMs) offset = latest
      return moment + offset
    },
  }
}

export const systemClock: Clock = createClock(
  () => performance.now(),
  () => Date.now(),
)

/** A wall time in the form of RFC 3339. */
export function wallText(ms: number): string {
  return new Date(Math.round(ms)).toISOString()
}
