// Knows who waits for a workspace at one of Berth's pages, which load themselves again. A page of an application that does
// so starts nothing: with no person there, it would start what was just stopped, again and again.
import type { Clock } from '@berth/shared/clock'

export interface WaitingPeople {
  /** A navigation of this seat got a page of Berth instead of the workspace. */
  waits(seatKey: string): void
  /** The workspace was reached: from now on its own pages are open. */
  served(seatKey: string): void
  isWaiting(seatKey: string): boolean
}

/** Longer than any of Berth's pages takes to load itself again. */
const againWithinMs = 60_000
const mostPeople = 100_000

export function createWaitingPeople(clock: Clock): WaitingPeople {
  /** When each was last seen; the latest is at the end. */
  const waiting = new Map<string, number>()
  return {
    waits(seatKey) {
      waiting.delete(seatKey)
      waiting.set(seatKey, clock.now())
      const [oldest] = waiting.keys()
      if (waiting.size > mostPeople && oldest !== undefined) waiting.delete(oldest)
    },
    served: (seatKey) => void waiting.delete(seatKey),
    isWaiting: (seatKey) => clock.now() - (waiting.get(seatKey) ?? -Infinity) <= againWithinMs,
  }
}
