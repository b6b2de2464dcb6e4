// The leases in hand, by whose they are. Knows neither HTTP nor how one asks for them.
import type { Clock } from '@berth/shared/clock'
import { createActivity, type ActivityRecord } from './activity.ts'
import { seatKey, type Lease, type SeatHolder } from './lease.ts'

export interface Seat {
  readonly holder: SeatHolder
  /** The last one granted; it may have run out. */
  readonly lease: Lease
  readonly activity: ActivityRecord
}

export interface LeaseTable {
  /** A seat whose lease is good now; anybody else has to ask. */
  current(key: string): Seat | undefined
  /** The last lease of a seat, even one that has run out. */
  last(key: string): Lease | undefined
  grant(holder: SeatHolder, lease: Lease): Seat
  /** A reported seat's lease goes on, unless another one has taken its place meanwhile. */
  renew(seat: Seat, reported: Lease, times: Pick<Lease, 'askedAt' | 'expiresAt' | 'endsAt'>): void
  /** The lease has ended, unless another one has taken its place meanwhile. Connections stay as they are. */
  end(seat: Seat, ended: Lease): void
  /** Ends the lease of whoever holds this generation, but not its open connections. */
  dropGeneration(generation: string): void
  /** The container is gone or going: its leases and its connections end. */
  revoke(generation: string): void
  seats(): IteratorObject<Seat>
  /** How long the shortest lease in hand was granted for; `undefined` without any. */
  shortestMs(): number | undefined
  /** Forgets the seats that nobody uses and nobody has to be told of. */
  sweep(): void
}

export interface LeaseTableDeps {
  readonly clock: Clock
  /** Nobody holds this generation at present: connections kept for it are of no use. */
  readonly generationEnded: (generation: string, how: 'revoked' | 'unused') => void
  readonly granted?: () => void
}

interface MutableSeat extends Seat {
  lease: Lease
}

export function createLeaseTable({ clock, generationEnded, granted }: LeaseTableDeps): LeaseTable {
  const seats = new Map<string, MutableSeat>()

  const isGood = (lease: Lease): boolean => lease.expiresAt > clock.now()
  const ended = (lease: Lease): Lease => ({ ...lease, expiresAt: Number.NEGATIVE_INFINITY })

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
      const seat = known ?? { holder, lease, activity: createActivity(clock) }
      const before = seat.lease
      // It may have been frozen since: of a connection kept through that, the other side may know nothing any more.
      const lapsed = !isGood(before) && !inUse(before.generation)
      seat.lease = lease
      seats.set(key, seat)
      if (lapsed || !held(before.generation)) generationEnded(before.generation, 'unused')
      granted?.()
      return seat
    },
    renew(seat, reported, times) {
      if (seat.lease === reported) (seat as MutableSeat).lease = { ...reported, ...times }
    },
    end(seat, lease) {
      if (seat.lease === lease) (seat as MutableSeat).lease = ended(lease)
    },
    dropGeneration: endAllOf,
    revoke(generation) {
      endAllOf(generation)
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
