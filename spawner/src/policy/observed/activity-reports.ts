// Reports of use: what was used counts, and what is still in use keeps its lease, each person's for themselves.
import { isAllowed } from '../asked/access.ts'
import { change, type Draft } from '../state/draft.ts'
import type { DirectorId, Event, RenewedLease, Seat, Workspace } from '../domain.ts'
import { idleAt, leaseSpan } from '../state/deadlines.ts'
import { isFreezing } from '../lifecycle/freezing.ts'
import { networkOf } from '../networks.ts'
import { hasLeft, seatIdleAt, unusedEndsAt } from '../seats/seat-ends.ts'
import { changeSeat, newSeat, seatIn } from '../seats/seat-table.ts'

type Report = Extract<Event, { type: 'activity-reported' }>
type Reported = Report['seats'][number]

/** @returns the reply, to be called once everything else is decided */
export function reportActivity(draft: Draft, report: Report): () => readonly RenewedLease[] {
  for (const reported of report.seats) note(draft, report.director, reported)
  return () => report.seats.flatMap((reported) => renew(draft, reported))
}

function note(draft: Draft, director: DirectorId, reported: Reported): void {
  const workspace = reportedIn(draft, reported)
  const seat = workspace && seatIn(workspace, reported.user)
  if (workspace === undefined || seat === undefined) return
  const usedAt = draft.now - Math.max(0, reported.lastUseAgoMs)
  const lastUseAt = Math.max(workspace.lastUseAt, usedAt)
  const isSame = seat.connections.get(director) === reported.connections
  if (isSame && usedAt <= seat.lastUseAt && lastUseAt === workspace.lastUseAt) return
  const connections = isSame
    ? seat.connections
    : new Map([...seat.connections, [director, reported.connections]])
  const used = { connections, lastUseAt: Math.max(seat.lastUseAt, usedAt) }
  changeSeat(draft, workspace, reported.user, used, { lastUseAt })
}

/** What is said of a container that is not the present one is said of nothing that is there. */
function reportedIn(draft: Draft, reported: Reported): Workspace | undefined {
  const workspace = draft.workspaces.get(reported.workspace)
  const { generation, user } = reported
  if (generation !== undefined && workspace?.container?.generation !== generation) return undefined
  if (workspace === undefined || workspace.kind === 'standby') return undefined
  if (workspace.kind === 'shared') return workspace
  if (workspace.owner?.name !== user) return undefined
  // Found running after a restart: its owner never left, as long as a lease of before may be in hand.
  if (workspace.seats.length > 0 || workspace.leasedUntil <= draft.now) return workspace
  const seat = newSeat(workspace.owner, draft.nextTicket++, draft.now)
  return change(draft, workspace, { seats: [{ ...seat, leasedUntil: workspace.leasedUntil }] })
}

function renew(draft: Draft, reported: Reported): RenewedLease[] {
  const workspace = reportedIn(draft, reported)
  const seat = workspace && seatIn(workspace, reported.user)
  if (workspace !== undefined && seat === undefined && lostSeatIn(workspace))
    return [{ workspace: workspace.name, user: reported.user, leaseMs: 0, seatEnded: true }]
  if (workspace?.phase !== 'ready' || seat === undefined || isFreezing(workspace)) return []
  if (!mayStay(draft, workspace, seat) || networkOf(draft, workspace) === undefined) return []
  // The requests that a page sends by itself are served until the lease ends that was given before.
  if (isIdle(draft, workspace, seat))
    return [
      {
        workspace: workspace.name,
        user: reported.user,
        leaseMs: 0,
        ...term(draft, workspace, seat),
      },
    ]
  const leasedUntil = draft.now + leaseSpan(draft.config)
  changeSeat(draft, workspace, reported.user, { leasedUntil }, { leasedUntil })
  const { leaseMs } = draft.config.lease
  return [
    { workspace: workspace.name, user: reported.user, leaseMs, ...term(draft, workspace, seat) },
  ]
}

/** In a shared workspace that runs, who was let in and has no seat has lost it. A private one ends with its seat. */
function lostSeatIn({ kind, phase }: Workspace): boolean {
  return kind === 'shared' && (phase === 'ready' || phase === 'frozen')
}

function term(
  { config, now }: Draft,
  workspace: Workspace,
  seat: Seat,
): Pick<RenewedLease, 'unusedEndsInMs'> {
  const inMs = unusedEndsAt(config, workspace, seat) - now
  return Number.isFinite(inMs) ? { unusedEndsInMs: Math.max(0, Math.round(inMs)) } : {}
}

function mayStay({ config }: Draft, workspace: Workspace, seat: Seat): boolean {
  const template = config.templates.get(workspace.template)
  if (template !== undefined && !isAllowed(template, seat.person)) return false
  return !hasLeft(config, workspace, seat)
}

function isIdle({ config, now }: Draft, workspace: Workspace, seat: Seat): boolean {
  return Math.min(idleAt(config, workspace), seatIdleAt(config, workspace, seat)) <= now
}
