// The clock, as it is given to the other parts: tests pass in a clock that they move by hand.
import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Milliseconds that never decrease, from an arbitrary start. Leases, idleness and deadlines count in it. */
  now(): number
  /** Milliseconds since 1970, which may jump. Only for labels, logs and people. */
  wall(): number
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
}
