// The end of a workspace's life: announced, extended once, or ordered at once by a person who may do so.
import type { Person } from '@berth/shared/contract'
import { change, drop, enter, type Draft } from '../state/draft.ts'
import type { Event, PolicyConfig, StopReason, Workspace } from '../domain.ts'
import { endNotice, endNoticeAt, lifetimeEndsAt, policyOf } from '../state/deadlines.ts'
import { enqueue, leaveQueue, stop } from './transitions.ts'

export function hasOutlived(draft: Draft, workspace: Workspace): boolean {
  return lifetimeEndsAt(draft.config, workspace) <= draft.now
}

/**
 * An extension, or a template that allows more, takes the announcement back. A template that allows less ends nobody's
 * work without a word: the end then comes after the usual notice.
 */
export function announceEnd(draft: Draft, workspace: Workspace): Workspace {
  const endWarned = endNoticeAt(draft.config, workspace) <= draft.now
  if (endWarned === workspace.endWarned) return workspace
  const isOver = endWarned && lifetimeEndsAt(draft.config, workspace) <= draft.now
  const late = isOver ? { endsNotBefore: draft.now + endNotice(draft.config, workspace) } : {}
  return change(draft, workspace, { endWarned, ...late })
}

/** By how much its lifetime may still be extended; zero: not at all. */
export function extensionOf(config: PolicyConfig, workspace: Workspace): number {
  const { extensionMs } = policyOf(config, workspace)
  if (workspace.extendedMs > 0 || !Number.isFinite(lifetimeEndsAt(config, workspace))) return 0
  const { phase } = workspace
  return phase === 'ready' || phase === 'frozen' || phase === 'probing' ? extensionMs : 0
}

export function extend(draft: Draft, asked: Extract<Event, { type: 'extend-requested' }>): void {
  const workspace = draft.workspaces.get(asked.workspace)
  if (workspace === undefined) return
  if (asked.user !== undefined && !hasPlaceIn(workspace, asked.user)) return
  const extendedMs = extensionOf(draft.config, workspace)
  if (extendedMs > 0) change(draft, workspace, { extendedMs })
}

function hasPlaceIn({ owner, seats }: Workspace, user: Person): boolean {
  if (owner !== undefined) return isSame(owner, user)
  return seats.some(({ person }) => isSame(person, user))
}

const isSame = (a: Person, b: Person) => a.name === b.name && a.subject === b.subject

/** Leases do not count, and the people who wait stop waiting. */
export function end(draft: Draft, event: Extract<Event, { type: 'end-requested' }>): void {
  const workspace = draft.workspaces.get(event.workspace)
  if (workspace === undefined) return
  const wanted = event.how === 'restart'
  const reason: StopReason = wanted ? 'replaced' : event.how === 'stop' ? 'asked' : 'removed'
  const patch: Partial<Workspace> = wanted
    ? { wanted, requestedAt: draft.now, seenAt: draft.now }
    : { wanted, cancelledAt: draft.now }
  switch (workspace.phase) {
    case 'queued':
      if (wanted) return
      leaveQueue(draft, workspace, patch)
      if (workspace.container === undefined) return
      return endStopped(draft, draft.workspaces.get(workspace.name) ?? workspace, event.how)
    case 'stopped':
    case 'failed':
      return endStopped(draft, workspace, event.how)
    case 'stopping':
      // One that is on its way to its removal already does not come to less, and one that had to go is behind others.
      change(draft, workspace, {
        ...patch,
        ...(event.how === 'stop' ? {} : { stopReason: reason }),
        ...(wanted && !workspace.wanted ? { ticket: draft.nextTicket++ } : {}),
      })
      return
    case 'pulling':
    case 'creating':
    case 'starting':
    case 'probing':
    case 'ready':
    case 'frozen':
      stop(draft, workspace, reason, { ...patch, ...withoutPull(workspace) })
  }
}

/** What a pull fetches is not lost, and nothing of it has to be undone. */
function withoutPull({ pending }: Workspace): Partial<Workspace> {
  return pending?.step === 'pull' ? { pending: undefined } : {}
}

function endStopped(
  draft: Draft,
  workspace: Workspace,
  how: Extract<Event, { type: 'end-requested' }>['how'],
): void {
  if (how === 'stop') return
  const isBare = workspace.container === undefined && workspace.pending === undefined
  if (isBare && how === 'restart') return void enqueue(draft, { ...workspace, seenAt: draft.now })
  if (isBare) return drop(draft, workspace)
  const wanted = how === 'restart'
  enter(draft, workspace, 'stopping', {
    stopReason: wanted ? 'replaced' : 'removed',
    failure: undefined,
    wanted,
    ...(wanted ? { requestedAt: draft.now, seenAt: draft.now, ticket: draft.nextTicket++ } : {}),
  })
}
