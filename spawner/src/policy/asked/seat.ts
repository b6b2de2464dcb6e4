// A request for a seat: what it records, and the reply once everything that follows from it is decided.
import type { Person } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import { accessOf, refusalToStart, type Allowed } from './access.ts'
import { isCancelledFor } from './cancels.ts'
import { noteAsking } from '../observed/directors.ts'
import { change, drop, freshWorkspace, type Draft } from '../state/draft.ts'
import type { Event, Failure, Refusal, SeatReply, SeatRefusal, Workspace } from '../domain.ts'
import { addressOf } from '../state/address.ts'
import { idleAt, leaseSpan, lifetimeEndsAt, policyOf } from '../state/deadlines.ts'
import { estimateMs } from './estimates.ts'
import { failures } from '../lifecycle/failures.ts'
import { positionOf } from '../queue/order.ts'
import { isAsked } from '../lifecycle/busy.ts'
import { isFreezing, requestThaw } from '../lifecycle/freezing.ts'
import { enqueue, probeAgain } from '../lifecycle/transitions.ts'
import { networkOf } from '../networks.ts'
import { exceedsQueue } from '../queue/admission.ts'
import { seatIdleAt } from '../seats/seat-ends.ts'
import { changeSeat, seatIn, giveOwnerSeat, sharedSeatOf, removeSeat } from '../seats/seat-table.ts'
import { join, type Joined } from '../seats/shared-workspaces.ts'

type SeatRequested = Extract<Event, { type: 'seat-requested' }>

/** @returns the reply, to be called once everything else is decided */
export function requestSeat(draft: Draft, asked: SeatRequested): () => SeatReply {
  const { user, template, director } = asked.request
  // The route names it. A name without a workspace leads nowhere: it is looked up, never parsed.
  const route = asked.request.workspace as WorkspaceName | undefined
  const access = accessOf(draft, user, template, route)
  // Before the first inventory it is unknown which workspaces exist.
  const isUnseen = draft.reconciledAt === undefined && route !== undefined
  if (!access.ok && !isUnseen) return () => refusal(access.refusal)
  const name = access.ok ? access.name : route
  if (draft.reconciledAt === undefined) {
    if (!draft.engine.reachable) return () => refusal({ failure: failures.engineAway }, name)
    const workspace = name ?? (`${template}-shared` as WorkspaceName)
    return () => ({ status: 'waiting', workspace, phase: 'queued' })
  }
  noteAsking(draft, director)
  if (!access.ok) return () => refusal(access.refusal)
  const seated = access.isShared ? seatShared(draft, access, asked) : seatOwn(draft, access, asked)
  if (!seated.ok) return () => refusal(seated.refusal, name)
  const refused = recordRequest(draft, asked, seated.workspace)
  const { name: first } = seated.workspace
  if (refused !== undefined) return () => refusal(refused, first)
  return () => {
    // The person may have moved to another shared workspace in this decision.
    const mayMove = access.isShared && route === undefined
    const latest = (mayMove ? sharedSeatOf(draft, user.name, template)?.name : undefined) ?? first
    if (!enforceQueueLimit(draft, latest))
      return refusal({ failure: failures.queueFull, limit: draft.config.limits.maxQueue }, latest)
    return replyFor(draft, asked, latest)
  }
}

function refusal(reason: Refusal, workspace?: WorkspaceName): SeatRefusal {
  return { status: 'refused', ...(workspace === undefined ? {} : { workspace }), ...reason }
}

/** The person's own workspace, which may not be in the plan yet. */
function seatOwn(draft: Draft, { template, name }: Allowed, { request }: SeatRequested): Joined {
  const { user, start } = request
  const known = name === undefined ? undefined : draft.workspaces.get(name)
  if (known !== undefined) {
    const seenAt = start === 'start' ? draft.now : known.seenAt
    const workspace = change(draft, known, { template: template.name, owner: user, seenAt })
    const seat = seatIn(workspace, user.name)
    if (seat === undefined || isSamePerson(seat.person, user)) return { ok: true, workspace }
    return { ok: true, workspace: changeSeat(draft, workspace, user.name, { person: user }) }
  }
  if (name === undefined) return { ok: false, refusal: { failure: failures.workspaceUnknown } }
  return {
    ok: true,
    workspace: freshWorkspace(draft, { name, template: template.name, owner: user }),
  }
}

function isSamePerson(one: Person, other: Person): boolean {
  if (one.subject !== other.subject || one.email !== other.email) return false
  return one.groups.join('\n') === other.groups.join('\n')
}

function seatShared(draft: Draft, { template, name }: Allowed, asked: SeatRequested): Joined {
  const { request } = asked
  const { user, start } = request
  const known = name === undefined ? undefined : draft.workspaces.get(name)
  if (known !== undefined && seatIn(known, user.name) !== undefined) {
    const seen = start === 'start' ? { seenAt: draft.now } : {}
    const used = start === 'no' ? {} : { lastUseAt: draft.now }
    const seat = { person: user, ...seen, ...used }
    return { ok: true, workspace: changeSeat(draft, known, user.name, seat, seen) }
  }
  const refuse = (failure: Failure): Joined => ({ ok: false, refusal: { failure } })
  if (start !== 'start') return refuse(start === 'no' ? failures.idle : failures.stopped)
  if (isCancelledFor(draft, template.name, user, waitsSince(draft, asked)))
    return refuse(failures.cancelled)
  if (template.policy.startsBy === 'click') return refuse(failures.clickStarts)
  const joined = join(draft, template, user, request.workspace === undefined ? undefined : known)
  if (!joined.ok || draft.workspaces.get(joined.workspace.name) === undefined) return joined
  return { ok: true, workspace: change(draft, joined.workspace, { seenAt: draft.now }) }
}

function recordRequest(
  draft: Draft,
  asked: SeatRequested,
  workspace: Workspace,
): Refusal | undefined {
  const { start, user } = asked.request
  const isClicked = policyOf(draft.config, workspace).startsBy === 'click'
  if (!draft.workspaces.has(workspace.name)) {
    if (start !== 'start') return undefined
    return isClicked ? { failure: failures.clickStarts } : queueStart(draft, workspace, user)
  }
  switch (workspace.phase) {
    case 'ready': {
      const seated = start === 'no' ? workspace : giveOwnerSeat(draft, workspace)
      if (!isFreezing(seated)) return recordUse(draft, seated, asked)
      if (start !== 'no') requestThaw(draft, seated)
      return undefined
    }
    case 'frozen':
      if (start !== 'no') requestThaw(draft, giveOwnerSeat(draft, workspace))
      return undefined
    case 'stopping':
      if (start !== 'start' || workspace.wanted) return undefined
      if (isClicked) return { failure: failures.clickStarts }
      restartAfterStop(draft, workspace, asked)
      return undefined
    case 'stopped':
      return start === 'start' ? recordRestart(draft, workspace, asked) : undefined
    case 'queued':
    case 'pulling':
    case 'creating':
    case 'starting':
    case 'probing':
      if (start === 'start') giveOwnerSeat(draft, workspace)
      return undefined
    case 'failed':
      return undefined
  }
}

/** Puts a workspace into the queue, unless a limit or the engine forbids even that.
 *
 * @param person absent: the workspace is opened for everybody
 */
export function queueStart(
  draft: Draft,
  workspace: Workspace,
  person: Person | undefined,
): Refusal | undefined {
  if (!draft.engine.reachable) return { failure: failures.engineAway }
  const { template, name } = workspace
  const refused = refusalToStart(draft, person, template, name)
  if (refused !== undefined) return refused
  giveOwnerSeat(draft, enqueue(draft, { ...workspace, seenAt: draft.now }))
  return undefined
}

function recordUse(draft: Draft, workspace: Workspace, asked: SeatRequested): undefined {
  const { start, unreachable, director } = asked.request
  const used = start === 'no' ? workspace : change(draft, workspace, { lastUseAt: draft.now })
  const isPresent = unreachable === workspace.container?.generation
  const isAttached = networkOf(draft, workspace)?.attached.includes(director) === true
  // A request that is held since before the workspace became ready again is answered by that.
  const isNews = asked.since === undefined || asked.since > workspace.phaseSince
  if (isPresent && isAttached && isNews) probeAgain(draft, used)
}

function restartAfterStop(draft: Draft, workspace: Workspace, asked: SeatRequested): void {
  if (workspace.wanted || workspace.stopReason === 'failed') return
  if (workspace.stopReason === 'lifetime' && asked.request.navigation) return
  if (isCancelled(draft, workspace, asked)) return
  change(draft, workspace, { wanted: true, ticket: draft.nextTicket++, requestedAt: draft.now })
}

function recordRestart(
  draft: Draft,
  workspace: Workspace,
  asked: SeatRequested,
): Refusal | undefined {
  const { navigation, user } = asked.request
  if (isCancelled(draft, workspace, asked)) return { failure: failures.cancelled }
  if (workspace.endUntold && navigation) {
    // Each person who had a seat is told once.
    if (workspace.kind === 'shared') removeSeat(draft, workspace, user.name)
    else change(draft, workspace, { endUntold: false })
    return { failure: failures.lifetimeOver }
  }
  if (policyOf(draft.config, workspace).startsBy === 'click')
    return { failure: failures.clickStarts }
  return queueStart(draft, workspace, user)
}

function isCancelled(draft: Draft, { cancelledAt }: Workspace, asked: SeatRequested): boolean {
  return cancelledAt !== undefined && waitsSince(draft, asked) < cancelledAt
}

/** When a person began to wait for what is requested. */
function waitsSince({ now }: Draft, { since = now, request }: SeatRequested): number {
  return since - (request.waitedMs ?? 0)
}

/** Takes the workspace out of the queue again if it would make the queue too long. @returns false if it did */
export function enforceQueueLimit(draft: Draft, name: WorkspaceName): boolean {
  const workspace = draft.workspaces.get(name)
  const before = draft.before.workspaces.get(name)
  if (workspace?.phase !== 'queued' || !exceedsQueue(draft, name)) return true
  if (before === undefined) drop(draft, workspace)
  else draft.workspaces.set(name, before)
  draft.queue = draft.queue.filter((waiting) => waiting !== name)
  return false
}

function replyFor(draft: Draft, asked: SeatRequested, name: WorkspaceName): SeatReply {
  const workspace = draft.workspaces.get(name)
  const { start } = asked.request
  const refuse = (failure: Failure) => refusal({ failure }, name)
  const unstarted = start === 'no' ? failures.idle : failures.stopped
  switch (workspace?.phase) {
    case undefined:
    case 'stopped':
      return refuse(unstarted)
    case 'failed':
      return refuse(workspace.failure ?? failures.startFailed)
    case 'ready':
      return grant(draft, asked, workspace)
    case 'frozen':
      return start === 'no' ? refuse(failures.idle) : wait(draft, workspace)
    case 'stopping':
      return start === 'start' ? wait(draft, workspace) : refuse(unstarted)
    case 'queued':
    case 'pulling':
    case 'creating':
    case 'starting':
    case 'probing':
      return wait(draft, workspace)
  }
}

/** Grants a seat in a workspace that is ready, unless it cannot be used at this moment. */
function grant(draft: Draft, { request }: SeatRequested, workspace: Workspace): SeatReply {
  const { name, container } = workspace
  const { config, now } = draft
  const { user, director, start } = request
  const seat = seatIn(workspace, user.name)
  if (workspace.kind === 'shared' && seat === undefined)
    return refusal({ failure: failures.stopped }, name)
  const seatIdle = seat === undefined ? Infinity : seatIdleAt(config, workspace, seat)
  if (start === 'no' && Math.min(idleAt(config, workspace), seatIdle) <= now)
    return seatIdle > now && isAsked(workspace, now)
      ? wait(draft, workspace)
      : refusal({ failure: failures.idle }, name)
  if (isFreezing(workspace)) return wait(draft, workspace)
  const isOffered = config.templates.has(workspace.template)
  const address = addressOf(config, workspace)
  const isAttached = networkOf(draft, workspace)?.attached.includes(director) === true
  if (!isAttached || container === undefined || address === undefined || !isOffered)
    return wait(draft, workspace)
  const leasedUntil = now + leaseSpan(config)
  const connections = new Map([...(seat?.connections ?? []), [director, 1]])
  changeSeat(draft, workspace, user.name, { leasedUntil, connections }, { leasedUntil })
  const endsAt = lifetimeEndsAt(config, workspace)
  return {
    status: 'granted',
    workspace: name,
    generation: container.generation,
    address,
    leaseMs: config.lease.leaseMs,
    ...(Number.isFinite(endsAt) ? { endsAt } : {}),
  }
}

function wait(draft: Draft, workspace: Workspace): SeatReply {
  const { name, phase, pullPercent } = workspace
  if (!draft.engine.reachable) return refusal({ failure: failures.engineAway }, name)
  const position = positionOf(draft, workspace)
  const etaMs = estimateMs(draft, workspace, draft.now)
  return {
    status: 'waiting',
    workspace: name,
    phase,
    ...(position === undefined ? {} : { position }),
    ...(etaMs === undefined ? {} : { etaMs }),
    ...(phase === 'pulling' && pullPercent !== undefined ? { pullPercent } : {}),
  }
}
