// How seats end: by inactivity, by absence from the queue, with the last connection; and when an empty workspace ends.
import type { PolicyConfig, Seat, Workspace } from '../domain.ts'
import { change, rests, type Draft } from '../state/draft.ts'
import { drainsAt, idleStepsAt, policyOf } from '../state/deadlines.ts'
import { leaveQueue, stop } from '../lifecycle/transitions.ts'
import { isSpent } from './seat-table.ts'

const never = Number.POSITIVE_INFINITY
const unset = Number.NEGATIVE_INFINITY

/** From then on the seat is idle: a background request neither gets nor renews a lease for it. */
export function seatIdleAt(config: PolicyConfig, workspace: Workspace, seat: Seat): number {
  const { seatIdleMs } = policyOf(config, workspace)
  if (workspace.kind !== 'shared' || seatIdleMs === 0) return never
  return Math.max(seat.lastUseAt, workspace.servesSince ?? unset) + seatIdleMs
}

/** All directors say that the last connection of the seat has closed, and the template ends a seat by that. */
export function hasLeft(config: PolicyConfig, workspace: Workspace, seat: Seat): boolean {
  if (policyOf(config, workspace).persistBetweenReconnects || seat.connections.size === 0)
    return false
  return !isConnected(seat)
}

function isConnected({ connections }: Seat): boolean {
  for (const count of connections.values()) if (count > 0) return true
  return false
}

/** When the seat, or its workspace, ends if it is not used any more, whether or not a lease is still running. */
export function unusedEndsAt(config: PolicyConfig, workspace: Workspace, seat: Seat): number {
  return Math.min(seatIdleAt(config, workspace, seat), idleStepsAt(config, workspace).stop)
}

/** When a seat ends by itself: never while a director may hold a lease for it. */
function seatEndsAt(config: PolicyConfig, workspace: Workspace, seat: Seat): number {
  switch (workspace.phase) {
    case 'queued':
      return workspace.kind === 'shared' ? seat.seenAt + config.presenceMs : never
    case 'ready':
    case 'frozen':
      return Math.max(
        Math.min(seatIdleAt(config, workspace, seat), leavesAt(config, workspace, seat)),
        seat.leasedUntil,
      )
    case 'pulling':
    case 'creating':
    case 'starting':
    case 'probing':
    case 'stopping':
    case 'stopped':
    case 'failed':
      return never
  }
}

/**
 * Who is connected stays, also without a lease: directors do not renew that of an idle workspace. Who is not, may come back
 * while the lease lasts.
 */
function leavesAt(config: PolicyConfig, workspace: Workspace, seat: Seat): number {
  if (policyOf(config, workspace).persistBetweenReconnects || isConnected(seat)) return never
  if (Number.isFinite(seat.leasedUntil)) return seat.leasedUntil
  return Math.max(seat.seenAt, workspace.servesSince ?? unset) + config.presenceMs
}

/** When the next seat of the workspace, or the empty workspace itself, has to end. */
export function nextSeatEndAt(config: PolicyConfig, workspace: Workspace): number {
  let earliest = never
  if (workspace.seats.length === 0)
    earliest = isDeserted(config, workspace) ? workspace.leasedUntil : drainsAt(config, workspace)
  for (const seat of workspace.seats)
    earliest = Math.min(earliest, seatEndsAt(config, workspace, seat))
  return earliest
}

/** Ends the seats that are due, and stops a spent workspace when nobody is left in it. */
export function endDueSeats(draft: Draft, workspace: Workspace): void {
  const { config, now } = draft
  const seats = workspace.seats.filter((seat) => seatEndsAt(config, workspace, seat) > now)
  const left =
    seats.length === workspace.seats.length ? workspace : change(draft, workspace, { seats })
  if (left !== workspace && left.phase === 'queued' && seats.length === 0)
    return leaveQueue(draft, left)
  if (mayRetire(draft, left)) stop(draft, left, 'retired')
}

function mayRetire(draft: Draft, workspace: Workspace): boolean {
  const { phase, seats, leasedUntil } = workspace
  if (phase !== 'ready' && phase !== 'frozen') return false
  if (seats.length > 0 || leasedUntil > draft.now || rests(draft, workspace)) return false
  return isDeserted(draft.config, workspace) || isSpent(draft.config, workspace, draft.now)
}

/** A private workspace has nobody else: if its template ends a seat with the last connection, it ends with its seat. */
function isDeserted(config: PolicyConfig, workspace: Workspace): boolean {
  const { kind, seats } = workspace
  if (kind !== 'private' || seats.length > 0) return false
  return !policyOf(config, workspace).persistBetweenReconnects
}
