// The leases that the director holds, by their holders. Knows neither HTTP nor how leases are requested.
import type { Clock } from '@berth/shared/clock'
import { createActivity, type ActivityRecord } from './activity.ts'
import { seatKey, type Lease, type SeatHolder } from './lease.ts'

export interface Seat {
  readonly holder: SeatHolder
  /** The last lease that was granted; it may have expired. */
  readonly lease: Lease
  readonly activity: ActivityRecord
  /** Unless it is used before, the seat or its workspace ends then, as the spawner said at `toldAt`. Absent: not known, or
   * neither ends by that. */
  readonly unused?: { readonly endsAt: number; readonly toldAt: number } | undefined
  /** Aborts when the person has lost the seat, or Berth stops the workspace. The reason is a `SeatEnd`. */
  readonly ended: AbortSignal
}

/** Why a seat ended: the person has lost it, or for which reason the workspace is stopped. */
export type SeatEnd = { readonly lost: true } | { readonly stopped: string }

export interface LeaseTable {
  /** The seat, if its lease is good now. Otherwise a seat has to be requested. */
  current(key: string): Seat | undefined
  /** The last lease of a seat, even if it has expired. */
  last(key: string): Lease | undefined
  grant(holder: SeatHolder, lease: Lease): Seat
  /** Extends a reported lease, unless the seat has another lease by now. */
  renew(seat: Seat, reported: Lease, times: Pick<Lease, 'askedAt' | 'expiresAt' | 'endsAt'>): void
  /** Ends a lease, unless the seat has another lease by now. Connections stay as they are. */
  end(seat: Seat, ended: Lease): void
  /** When the seat ends if it is not used any more. */
  foretell(seat: Seat, unused: Seat['unused']): void
  /** The person has lost the seat. */
  lose(seat: Seat): void
  /** Ends every lease of this generation, but not its open connections. */
  dropGeneration(generation: string): void
  /**
   * The container is being stopped or is gone: ends its leases and its connections.
   *
   * @param reason why Berth stops it
   */
  revoke(generation: string, reason?: string): void
  seats(): IteratorObject<Seat>
  /** How long the shortest good lease was granted for; `undefined` without a lease. */
  shortestMs(): number | undefined
  /** Removes the seats without a good lease and without activity to report. */
  sweep(): void
}

export interface LeaseTableDeps {
  readonly clock: Clock
  /** No seat has a lease of this generation any more: idle connections to it are useless. */
  readonly generationEnded: (generation: string, how: 'revoked' | 'unused') => void
  readonly granted?: () => void
}

interface MutableSeat extends Seat {
  lease: Lease
  unused?: Seat['unused']
  readonly end: AbortController
}

export function createLeaseTable({ clock, generationEnded, granted }: LeaseTableDeps): LeaseTable {
  const seats = new Map<string, MutableSeat>()

  const isGood = (lease: Lease): boolean => lease.expiresAt > clock.now()
  const ended = (lease: Lease): Lease => ({ ...lease, expiresAt: Number.NEGATIVE_INFINITY })

  const abort = (seat: Seat, why: SeatEnd): void => (seat as MutableSeat).end.abort(why)

  function newSeat(holder: SeatHolder, lease: Lease, activity?: ActivityRecord): MutableSeat {
    const end = new AbortController()
    return { holder, lease, activity: activity ?? createActivity(clock), end, ended: end.signal }
  }

  function held(generation: string): boolean {
    return seats.values().some((seat) => seat.lease.generation === generation)
  }

  function inUse(generation: string): boolean {
    return seats.values().some(({ lease }) => lease.generation === generation && isGood(lease))
  }

  function endAllOf(generation: string): void {
    for (const seat of seats.values())
      if (seat.lease.generation === generation) seat.lease = ended(seat.lease)
  }

  return {
    current(key) {
      const seat = seats.get(key)
      return seat !== undefined && isGood(seat.lease) ? seat : undefined
    },
    last: (key) => seats.get(key)?.lease,
    grant(holder, lease) {
      const key = seatKey(holder)
      const known = seats.get(key)
      const before = known?.lease ?? lease
      const seat = known?.ended.aborted === false ? known : newSeat(holder, lease, known?.activity)
      // The container may have been frozen since: the other side may have forgotten a connection that was kept.
      const lapsed = !isGood(before) && !inUse(before.generation)
      seat.lease = lease
      seats.set(key, seat)
      if (lapsed || !held(before.generation)) generationEnded(before.generation, 'unused')
      granted?.()
      return seat
    },
    foretell(seat, unused) {
      ;(seat as MutableSeat).unused = unused
    },
    lose(seat) {
      ;(seat as MutableSeat).lease = ended(seat.lease)
      abort(seat, { lost: true })
    },
    renew(seat, reported, times) {
      if (seat.lease === reported) (seat as MutableSeat).lease = { ...reported, ...times }
    },
    end(seat, lease) {
      if (seat.lease === lease) (seat as MutableSeat).lease = ended(lease)
    },
    dropGeneration: endAllOf,
    revoke(generation, reason) {
      endAllOf(generation)
      if (reason !== undefined)
        for (const seat of seats.values())
          if (seat.lease.generation === generation) abort(seat, { stopped: reason })
      generationEnded(generation, 'revoked')
    },
    seats: () => seats.values(),
    shortestMs() {
      let shortest: number | undefined
      for (const { lease } of seats.values()) {
        if (lease.byName || !isGood(lease)) continue
        const ms = lease.expiresAt - lease.askedAt
        if (shortest === undefined || ms < shortest) shortest = ms
      }
      return shortest
    },
    sweep() {
      for (const [key, seat] of seats) {
        if (isGood(seat.lease) || seat.activity.reportable()) continue
        seats.delete(key)
        if (!held(seat.lease.generation)) generationEnded(seat.lease.generation, 'unused')
      }
    },
  }
}
