// Seats: what asking for one records, and the answer once everything that follows from it is decided.
import type { Person } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import { claimOf, isQueueOver, startRefusal, type Refusal } from './admission.ts'
import { noteAsking } from './directors.ts'
import { change, drop, freshWorkspace, type Draft } from './draft.ts'
import type { SeatQuestion, SeatReply, Workspace } from './domain.ts'
import { idleAt, leaseSpan, lifetimeEndsAt } from './due.ts'
import { estimateMs } from './estimates.ts'
import { failures } from './failures.ts'
import { positionOf } from './fairness.ts'
import { isFreezing, wake } from './freezing.ts'
import { cancelStart, enqueue, probeAgain } from './lifecycle.ts'
import { networkOf } from './networks.ts'

/** @returns the answer, to be called once the rest of the decision stands */
export function askSeat(draft: Draft, question: SeatQuestion): () => SeatReply {
  const claim = claimOf(draft, question.user, question.template)
  if (!claim.ok) return () => ({ status: 'refused', ...claim.refusal })
  const { name } = claim
  const refuse = ({ failure, limit }: Refusal): SeatReply => {
    const extra = limit === undefined ? {} : { limit }
    return { status: 'refused', workspace: name, failure, ...extra }
  }
  if (!draft.looked) {
    if (!draft.engine.reachable) return () => refuse({ failure: failures.engineAway })
    return () => ({ status: 'waiting', workspace: name, phase: 'queued' })
  }
  noteAsking(draft, question.director)
  const refusal = recordAsking(draft, question, name)
  if (refusal !== undefined) return () => refuse(refusal)
  return () => {
    if (!keepsToQueue(draft, name))
      return refuse({ failure: failures.queueFull, limit: draft.config.limits.maxQueue })
    return answer(draft, question, name, refuse)
  }
}

function recordAsking(
  draft: Draft,
  question: SeatQuestion,
  name: WorkspaceName,
): Refusal | undefined {
  const { user, template, start } = question
  const known = draft.workspaces.get(name)
  if (known === undefined) {
    if (start !== 'start') return undefined
    return begin(draft, freshWorkspace(draft, { name, template, owner: user }))
  }
  const seenAt = start === 'start' ? draft.now : known.seenAt
  const workspace = change(draft, known, { owner: user, seenAt })
  switch (workspace.phase) {
    case 'ready':
      if (!isFreezing(workspace)) return recordUse(draft, workspace, question)
      if (start !== 'no') wake(draft, workspace)
      return undefined
    case 'frozen':
      if (start !== 'no') wake(draft, workspace)
      return undefined
    case 'stopping':
      if (start === 'start') wantAgain(draft, workspace, question)
      return undefined
    case 'stopped':
      return start === 'start' ? recordRestart(draft, workspace, question) : undefined
    case 'queued':
    case 'pulling':
    case 'creating':
    case 'starting':
    case 'probing':
    case 'failed':
      return undefined
  }
}

/** Queues it, unless a limit or the engine forbids even that. */
export function begin(draft: Draft, workspace: Workspace): Refusal | undefined {
  if (!draft.engine.reachable) return { failure: failures.engineAway }
  const { owner } = workspace
  const refusal = owner && startRefusal(draft, owner, workspace.name)
  if (refusal !== undefined) return refusal
  enqueue(draft, { ...workspace, seenAt: draft.now })
  return undefined
}

function recordUse(draft: Draft, workspace: Workspace, question: SeatQuestion): undefined {
  const used =
    question.start === 'no' ? workspace : change(draft, workspace, { lastUseAt: draft.now })
  const isPresent = question.unreachable === workspace.container?.generation
  const isAttached = networkOf(draft, workspace)?.attached.includes(question.director) === true
  // Held since before it was reached again: that was the answer to it.
  const isNews = question.since === undefined || question.since > workspace.phaseSince
  if (isPresent && isAttached && isNews) probeAgain(draft, used)
}

function wantAgain(draft: Draft, workspace: Workspace, question: SeatQuestion): void {
  if (workspace.wanted || workspace.stopReason === 'failed') return
  if (workspace.stopReason === 'lifetime' && question.navigation) return
  if (isCancelled(draft, workspace, question)) return
  change(draft, workspace, { wanted: true, turn: draft.nextTurn++, requestedAt: draft.now })
}

function recordRestart(
  draft: Draft,
  workspace: Workspace,
  question: SeatQuestion,
): Refusal | undefined {
  if (isCancelled(draft, workspace, question)) return { failure: failures.cancelled }
  if (workspace.endUntold && question.navigation) {
    change(draft, workspace, { endUntold: false })
    return { failure: failures.lifetimeOver }
  }
  return begin(draft, workspace)
}

function isCancelled(draft: Draft, workspace: Workspace, question: SeatQuestion): boolean {
  const { cancelledAt } = workspace
  return cancelledAt !== undefined && (question.since ?? draft.now) < cancelledAt
}

/** One who would make the queue too long does not join it. */
export function keepsToQueue(draft: Draft, name: WorkspaceName): boolean {
  const workspace = draft.workspaces.get(name)
  const before = draft.before.workspaces.get(name)
  if (workspace?.phase !== 'queued' || before?.phase === 'queued') return true
  if (before?.phase === 'stopping' || !isQueueOver(draft)) return true
  if (before === undefined) drop(draft, workspace)
  else draft.workspaces.set(name, before)
  draft.queue = draft.queue.filter((waiting) => waiting !== name)
  return false
}

function answer(
  draft: Draft,
  question: SeatQuestion,
  name: WorkspaceName,
  refuse: (refusal: Refusal) => SeatReply,
): SeatReply {
  const workspace = draft.workspaces.get(name)
  const unstarted = question.start === 'no' ? failures.idle : failures.stopped
  switch (workspace?.phase) {
    case undefined:
    case 'stopped':
      return refuse({ failure: unstarted })
    case 'failed':
      return refuse({ failure: workspace.failure ?? failures.startFailed })
    case 'ready':
      return answerReady(draft, question, workspace, refuse)
    case 'frozen':
      if (question.start === 'no') return refuse({ failure: failures.idle })
      return wait(draft, workspace, refuse)
    case 'stopping':
      if (question.start !== 'start') return refuse({ failure: unstarted })
      return wait(draft, workspace, refuse)
    case 'queued':
    case 'pulling':
    case 'creating':
    case 'starting':
    case 'probing':
      return wait(draft, workspace, refuse)
  }
}

function answerReady(
  draft: Draft,
  question: SeatQuestion,
  workspace: Workspace,
  refuse: (refusal: Refusal) => SeatReply,
): SeatReply {
  const { name, container } = workspace
  if (question.start === 'no' && idleAt(draft.config, workspace) <= draft.now)
    return refuse({ failure: failures.idle })
  if (isFreezing(workspace)) return wait(draft, workspace, refuse)
  const template = draft.config.templates.get(workspace.template)
  const isAttached = networkOf(draft, workspace)?.attached.includes(question.director) === true
  if (!isAttached || container?.address === undefined || template === undefined)
    return wait(draft, workspace, refuse)
  change(draft, workspace, { leasedUntil: draft.now + leaseSpan(draft.config) })
  const endsAt = lifetimeEndsAt(draft.config, workspace)
  return {
    status: 'granted',
    workspace: name,
    generation: container.generation,
    address: { host: container.address, port: template.spec.port },
    leaseMs: draft.config.lease.leaseMs,
    ...(Number.isFinite(endsAt) ? { endsInMs: Math.max(0, endsAt - draft.now) } : {}),
  }
}

function wait(
  draft: Draft,
  workspace: Workspace,
  refuse: (refusal: Refusal) => SeatReply,
): SeatReply {
  if (!draft.engine.reachable) return refuse({ failure: failures.engineAway })
  const position = positionOf(draft, workspace)
  const etaMs = estimateMs(draft, workspace, draft.now)
  return {
    status: 'waiting',
    workspace: workspace.name,
    phase: workspace.phase,
    ...(position === undefined ? {} : { position }),
    ...(etaMs === undefined ? {} : { etaMs }),
  }
}

/** A person asks for a start in so many words, also after a failure or an end of life. */
export function askStart(draft: Draft, user: Person, template: string): (() => void) | undefined {
  const claim = claimOf(draft, user, template)
  if (!claim.ok || !draft.looked) return undefined
  const { name } = claim
  const known = draft.workspaces.get(name)
  if (known === undefined) {
    begin(draft, freshWorkspace(draft, { name, template, owner: user }))
    return () => void keepsToQueue(draft, name)
  }
  const workspace = change(draft, known, { owner: user, seenAt: draft.now })
  if (workspace.phase === 'stopping' && !workspace.wanted)
    change(draft, workspace, { wanted: true, turn: draft.nextTurn++, requestedAt: draft.now })
  if (workspace.phase === 'stopped' || workspace.phase === 'failed') begin(draft, workspace)
  return () => void keepsToQueue(draft, name)
}

/** A person leaves the queue, or gives up a start that is under way. */
export function cancel(draft: Draft, user: Person, template: string): void {
  const claim = claimOf(draft, user, template)
  const workspace = claim.ok ? draft.workspaces.get(claim.name) : undefined
  if (workspace === undefined) return
  cancelStart(draft, workspace)
}

/** A sign of life of somebody who waits at a page. */
export function noteSeen(draft: Draft, name: WorkspaceName, user: Person): void {
  const workspace = draft.workspaces.get(name)
  if (workspace?.owner?.name !== user.name || workspace.owner.subject !== user.subject) return
  change(draft, workspace, { seenAt: draft.now })
}
