// Distinguishes a download from a trickle: a response is in use when the client drains 64 KiB of it within a window.
import type { Clock } from '@berth/shared/clock'

export const unitBytes = 64 * 1024

export interface DrainMeterDeps {
  readonly clock: Clock
  /** The template's `connectionIdleMs`. */
  readonly windowMs: number
  readonly touchUntil: (at: number) => void
}

/** @returns a function to call with each count of bytes that the client has received */
export function createDrainMeter({ clock, windowMs, touchUntil }: DrainMeterDeps) {
  let began = clock.now()
  let drained = 0
  return (bytes: number): void => {
    const now = clock.now()
    // Bytes that were drained too slowly do not count towards a later window.
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
