// Workspaces that several people share: which one a new person joins, and who moves when a seat becomes free.
import { openName, sharedName, type WorkspaceName } from '@berth/shared/names'
import type { Person } from '@berth/shared/contract'
import { refusalToStart } from '../asked/access.ts'
import type { Refusal, Seat, Workspace } from '../domain.ts'
import { change, freshWorkspace, type Draft } from '../state/draft.ts'
import { failures } from '../lifecycle/failures.ts'
import { leaveQueue } from '../lifecycle/transitions.ts'
import { holdsPlace } from '../state/phases.ts'
import { addSeat, giveSeat, hasFreeSeat, newSeat } from './seat-table.ts'
import { isShared, type Template } from '../../templates/template.ts'
import { concernedWorkspaces } from '../state/changes.ts'

export type Joined =
  | { readonly ok: true; readonly workspace: Workspace }
  | { readonly ok: false; readonly refusal: Refusal }

/** Gives a person their first seat: in the workspace that the route leads to, else in one with a free seat. */
export function join(
  draft: Draft,
  template: Template,
  person: Person,
  route: Workspace | undefined,
): Joined {
  const refusal = refusalToStart(draft, person, template.name, route?.name)
  if (refusal !== undefined) return { ok: false, refusal }
  if (route !== undefined && !hasFreeSeat(draft.config, route, draft.now)) {
    const limit = template.policy.seats
    return { ok: false, refusal: { failure: failures.seatsTaken, ...(limit > 1 ? { limit } : {}) } }
  }
  const found = route ?? openWorkspaceFor(draft, template)
  if (found !== undefined) return { ok: true, workspace: giveSeat(draft, found, person) }
  const seat = newSeat(person, draft.nextTicket++, draft.now)
  return { ok: true, workspace: { ...freshShared(draft, template), seats: [seat] } }
}

/** The workspace is not in the plan yet. */
export function freshShared(draft: Draft, template: Template): Workspace {
  const nameOf = isShared(template) ? sharedName : openName
  for (;;) {
    const name = nameOf(template.prefix, draft.nextTicket++)
    if (draft.foreignNames.has(name)) continue
    const identity = { name, template: template.name, owner: undefined }
    return { ...freshWorkspace(draft, identity), kind: 'shared' }
  }
}

/** The fullest workspace that holds a place, else one that is queued, else one that was stopped. */
function openWorkspaceFor(draft: Draft, { name: template }: Template): Workspace | undefined {
  let best: Workspace | undefined
  for (const workspace of ofTemplate(draft, template)) {
    if (!takesPeople(workspace) || !hasFreeSeat(draft.config, workspace, draft.now)) continue
    if (best === undefined || isBetter(workspace, best)) best = workspace
  }
  return best
}

function* ofTemplate(draft: Draft, template: string): Iterable<Workspace> {
  for (const name of draft.tally.byTemplate.get(template)?.names.keys() ?? []) {
    const workspace = draft.workspaces.get(name)
    if (workspace?.kind === 'shared') yield workspace
  }
}

function takesPeople({ phase, container, pending }: Workspace): boolean {
  if (phase === 'stopped') return container !== undefined && pending === undefined
  return phase !== 'stopping' && phase !== 'failed'
}

const rank = (workspace: Workspace) =>
  holdsPlace(workspace) ? 2 : workspace.phase === 'queued' ? 1 : 0

function isBetter(one: Workspace, other: Workspace): boolean {
  const byRank = rank(one) - rank(other)
  if (byRank !== 0) return byRank > 0
  const bySeats = one.seats.length - other.seats.length
  return bySeats === 0 ? one.ticket < other.ticket : bySeats > 0
}

/**
 * When a workspace that holds a place has a free seat, the first people who wait in a queued workspace get it.
 *
 * @returns whether a person moved
 */
export function moveSeats(draft: Draft, settle: (name: WorkspaceName) => void): boolean {
  let moves = 0
  for (const template of concernedTemplates(draft)) {
    const all = [...ofTemplate(draft, template)]
    const waiting = all
      .filter(({ phase }) => phase === 'queued')
      .flatMap((workspace) => workspace.seats.map((seat) => ({ from: workspace.name, seat })))
      .sort((a, b) => a.seat.ticket - b.seat.ticket)
    for (const { from, seat } of waiting) {
      if (!moveSeat(draft, all, from, seat, settle)) break
      moves++
    }
  }
  return moves > 0
}

function concernedTemplates(draft: Draft): ReadonlySet<string> {
  const templates = new Set<string>()
  for (const name of concernedWorkspaces(draft)) {
    const workspace = draft.workspaces.get(name)
    // Of a template that is not offered any more, nothing says how many seats a workspace has.
    const isOffered = workspace !== undefined && draft.config.templates.has(workspace.template)
    if (isOffered && workspace.kind === 'shared') templates.add(workspace.template)
  }
  return templates
}

function moveSeat(
  draft: Draft,
  all: readonly Workspace[],
  from: WorkspaceName,
  seat: Seat,
  settle: (name: WorkspaceName) => void,
): boolean {
  let best: Workspace | undefined
  for (const { name } of all) {
    const workspace = draft.workspaces.get(name)
    if (workspace === undefined || !holdsPlace(workspace) || !takesPeople(workspace)) continue
    if (!hasFreeSeat(draft.config, workspace, draft.now)) continue
    if (best === undefined || isBetter(workspace, best)) best = workspace
  }
  const left = draft.workspaces.get(from)
  if (best === undefined || left === undefined) return false
  const moved = addSeat(draft, best, seat)
  const seenAt = Math.max(moved.seenAt, seat.seenAt)
  change(draft, moved, { lastUseAt: Math.max(moved.lastUseAt, draft.now), seenAt })
  settle(best.name)
  const seats = left.seats.filter((other) => other !== seat)
  const without = change(draft, left, { seats })
  if (seats.length > 0) return true
  leaveQueue(draft, without)
  settle(from)
  return true
}
