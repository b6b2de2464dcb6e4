// Tells a download from a trickle: a response of which the client drains 64 KiB within a window is in use.
import type { Clock } from '@berth/shared/clock'

const unitBytes = 64 * 1024

export interface DrainMeterDeps {
  readonly clock: Clock
  /** The template's `connectionIdleMs`. */
  readonly windowMs: number
  readonly touchUntil: (at: number) => void
}

/** @returns to be called with each count of bytes that the client took */
export function createDrainMeter({ clock, windowMs, touchUntil }: DrainMeterDeps) {
  let began = clock.now()
  let drained = 0
  return (bytes: number): void => {
    const now = clock.now()
    // What was drained too slowly does not add up with what comes later.
    if (now - began > windowMs) {
      began = now
      drained = 0
    }
    drained += bytes
    if (drained < unitBytes) return
    touchUntil(began + windowMs)
    began = now
    drained %= unitBytes
  }
}
