// Time as the rest of Berth is given it, so that tests hold the hands.
import { performance } from 'node:perf_hooks'

export interface Clock {
  /** Milliseconds that only ever grow, from an arbitrary start. Leases, idleness and deadlines count in it. */
  now(): number
  /** Milliseconds since 1970, which may jump. For labels, logs and people only. */
  wall(): number
}

export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
}
