// Explicit requests of people and of the holder of the token: a start, a cancel, presence, a workspace for everybody.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import { accessOf, type Allowed } from './access.ts'
import { recordCancel } from './cancels.ts'
import { change, drop, freshWorkspace, type Draft } from '../state/draft.ts'
import type { Workspace } from '../domain.ts'
import { isFreezing, requestThaw } from '../lifecycle/freezing.ts'
import { cancelStart, leaveQueue } from '../lifecycle/transitions.ts'
import { holdsPlace, isStarting } from '../state/phases.ts'
import { changeSeat, seatIn, removeSeat } from '../seats/seat-table.ts'
import { queueStart, enforceQueueLimit } from './seat.ts'
import { freshShared, join } from '../seats/shared-workspaces.ts'

interface StartRequest {
  readonly user: Person
  readonly template: string
  readonly workspace?: WorkspaceName
}

/** A person requests a start, also after a failure or the end of a lifetime. @returns what is left to do at the end of
 * the decision */
export function requestStart(draft: Draft, request: StartRequest): (() => void) | undefined {
  const { user, template, workspace: route } = request
  const access = accessOf(draft, user, template, route)
  if (!access.ok || draft.reconciledAt === undefined) return undefined
  const workspace = access.isShared
    ? startShared(draft, access, request)
    : startOwn(draft, access, user)
  if (workspace === undefined) return undefined
  const { name } = workspace
  return () => void enforceQueueLimit(draft, name)
}

function startOwn(draft: Draft, access: Allowed, user: Person): Workspace | undefined {
  const { template, name } = access
  if (name === undefined) return undefined
  const known = draft.workspaces.get(name)
  if (known === undefined) {
    const fresh = freshWorkspace(draft, { name, template: template.name, owner: user })
    queueStart(draft, fresh, user)
    return fresh
  }
  const asked = { template: template.name, owner: user, seenAt: draft.now }
  startAgain(draft, change(draft, known, asked), user)
  return known
}

function startShared(
  draft: Draft,
  { template, name }: Allowed,
  { user, workspace: route }: StartRequest,
): Workspace | undefined {
  const known = name === undefined ? undefined : draft.workspaces.get(name)
  if (known !== undefined && seatIn(known, user.name) !== undefined) {
    const seat = { person: user, seenAt: draft.now }
    startAgain(draft, changeSeat(draft, known, user.name, seat, { seenAt: draft.now }), user)
    return known
  }
  const joined = join(draft, template, user, route === undefined ? undefined : known)
  if (!joined.ok) return undefined
  const { workspace } = joined
  if (draft.workspaces.get(workspace.name) === undefined) queueStart(draft, workspace, user)
  else startAgain(draft, change(draft, workspace, { seenAt: draft.now }), user)
  return workspace
}

function startAgain(draft: Draft, workspace: Workspace, user: Person): void {
  if (workspace.phase === 'stopping' && !workspace.wanted)
    change(draft, workspace, { wanted: true, ticket: draft.nextTicket++, requestedAt: draft.now })
  if (workspace.phase === 'frozen' || isFreezing(workspace)) requestThaw(draft, workspace)
  if (workspace.phase === 'stopped' || workspace.phase === 'failed')
    queueStart(draft, workspace, user)
}

/** A person leaves the queue, or cancels a start that is under way. */
export function cancel(draft: Draft, { user, template, workspace: route }: StartRequest): void {
  const access = accessOf(draft, user, template, route)
  const workspace = access.ok && access.name !== undefined && draft.workspaces.get(access.name)
  if (!access.ok || !workspace) return
  if (!access.isShared) return cancelStart(draft, workspace)
  cancelSeat(draft, workspace, user)
}

/**
 * The next person gets the place. A director that holds a lease for a seat lets the person go when that lease ends: it
 * is not renewed.
 */
export function releasePlace(draft: Draft, name: WorkspaceName, user: UserName): void {
  const workspace = draft.workspaces.get(name)
  if (workspace === undefined) return
  if (workspace.kind !== 'shared') {
    if (workspace.phase === 'queued' && workspace.owner?.name === user)
      cancelStart(draft, workspace)
    return
  }
  const seat = seatIn(workspace, user)
  if (seat === undefined) return
  recordCancel(draft, workspace.template, seat.person)
  giveUpSeat(draft, workspace, user)
}

/** The other people who wait for the workspace go on waiting. */
function cancelSeat(draft: Draft, workspace: Workspace, user: Person): void {
  if (seatIn(workspace, user.name) === undefined) return
  const isUnderWay = isStarting(workspace) && workspace.servesSince === undefined
  if (workspace.phase !== 'queued' && !isUnderWay) return
  recordCancel(draft, workspace.template, user)
  giveUpSeat(draft, workspace, user.name)
}

/** Nobody waits any more for a start without a seat. One that runs goes on, until it is idle. */
function giveUpSeat(draft: Draft, workspace: Workspace, user: UserName): void {
  const left = removeSeat(draft, workspace, user)
  if (left.seats.length > 0) return
  if (left.phase === 'queued') return leaveQueue(draft, left)
  cancelStart(draft, left)
  const stopping = draft.workspaces.get(left.name)
  if (stopping !== undefined) change(draft, stopping, { cancelledAt: undefined })
}

/** A person still waits at a page. */
export function recordPresence(draft: Draft, name: WorkspaceName, user: Person): void {
  const workspace = draft.workspaces.get(name)
  if (workspace === undefined) return
  const seat = seatIn(workspace, user.name)
  const known = workspace.kind === 'shared' ? seat?.person : workspace.owner
  if (known?.name !== user.name || known.subject !== user.subject) return
  const seen = { seenAt: draft.now }
  if (seat === undefined) change(draft, workspace, seen)
  else changeSeat(draft, workspace, user.name, seen, seen)
}

/** Opens a workspace that every person may join. It gets a place in this decision or is not opened.
 *
 * @returns its name, to be called at the end of the decision
 */
export function openShared(draft: Draft, templateName: string): () => WorkspaceName | undefined {
  const template = draft.config.templates.get(templateName)
  if (template === undefined || draft.reconciledAt === undefined || !draft.engine.reachable)
    return () => undefined
  const fresh = freshShared(draft, template)
  const { name } = fresh
  if (queueStart(draft, fresh, undefined) !== undefined) return () => undefined
  return () => {
    const opened = draft.workspaces.get(name)
    if (opened !== undefined && holdsPlace(opened)) return name
    if (opened !== undefined) drop(draft, opened)
    draft.queue = draft.queue.filter((waiting) => waiting !== name)
    return undefined
  }
}
