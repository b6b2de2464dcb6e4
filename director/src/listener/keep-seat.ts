// Keeps a connection that stays open within its lease: data of the client passes while the lease is good, and wakes a frozen
// workspace otherwise.
import type { Lease, SeatHolder } from '../leases/lease.ts'
import { samePlace, type NamedRoute } from '../spawner/name-lookup.ts'
import type { SeatingDeps } from './seating.ts'

export interface KeptSeat {
  readonly holder: SeatHolder
  readonly route: NamedRoute
  readonly seatKey: string
  readonly requestId: string
}

/**
 * @param opened the lease of the container that the connection leads to
 * @param gone aborts when the connection ends
 * @returns asks before data is passed on: `undefined` lets it pass, and so does a promise that resolves to `true`
 */
export type KeepSeat = (
  seat: KeptSeat,
  opened: Lease,
  gone: AbortSignal,
) => () => undefined | Promise<boolean>

export function createKeepSeat(
  deps: Omit<SeatingDeps, 'setTimer'> & { readonly waitMs: number },
): KeepSeat {
  const { table, seats, clock, closing, waitMs } = deps

  return ({ holder, route, seatKey, requestId }, opened, gone) => {
    async function renew(): Promise<boolean> {
      const found = await seats.request({
        holder,
        route,
        // Data from a client is use: it wakes the workspace. It starts none: a page answers what its application still
        // sent while it was stopped, with no person there.
        start: 'wake',
        navigation: false,
        until: clock.now() + waitMs,
        requestId,
        signal: AbortSignal.any([gone, closing]),
      })
      return found.status === 'granted' && isSame(found.seat.lease, opened)
    }

    return () => {
      const current = table.current(seatKey)
      if (current === undefined) return renew()
      return isSame(current.lease, opened) ? undefined : Promise.resolve(false)
    }
  }
}

/** A connection belongs to the container that it was opened to. The same address identifies it as well as the id. */
function isSame(granted: Lease, opened: Lease): boolean {
  if (granted.workspace !== opened.workspace) return false
  return granted.generation === opened.generation || samePlace(granted, opened)
}
