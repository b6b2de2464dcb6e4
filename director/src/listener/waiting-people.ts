// Knows who waits for a workspace at one of Berth's pages, which load themselves again. A page of an application that does
// so starts nothing: with no person there, it would start what was just stopped, again and again.
import type { Clock } from '@berth/shared/clock'

export interface WaitingPeople {
  /** A person's own navigation of this seat, made at `since`, got a page of Berth instead of the workspace. */
  waits(seatKey: string, since: number): void
  /** Such a page has loaded itself again. */
  stillWaits(seatKey: string): void
  /** The workspace was reached: from now on its own pages are open. */
  served(seatKey: string): void
  /** Since when a person waits, on the director's clock; `undefined` if nobody does. */
  waitsSince(seatKey: string): number | undefined
}

/** Longer than any of Berth's pages takes to load itself again. */
const againWithinMs = 60_000
const mostPeople = 100_000

interface Waiting {
  readonly since: number
  readonly seenAt: number
}

export function createWaitingPeople(clock: Clock): WaitingPeople {
  /** The latest that was seen is at the end. */
  const waiting = new Map<string, Waiting>()

  function see(seatKey: string, since: number): void {
    waiting.delete(seatKey)
    waiting.set(seatKey, { since, seenAt: clock.now() })
    const [oldest] = waiting.keys()
    if (waiting.size > mostPeople && oldest !== undefined) waiting.delete(oldest)
  }

  function waitsSince(seatKey: string): number | undefined {
    const { since, seenAt = -Infinity } = waiting.get(seatKey) ?? {}
    return clock.now() - seenAt <= againWithinMs ? since : undefined
  }

  return {
    waits: see,
    stillWaits(seatKey) {
      const since = waitsSince(seatKey)
      if (since !== undefined) see(seatKey, since)
    },
    served: (seatKey) => void waiting.delete(seatKey),
    waitsSince,
  }
}
