// Records how steps ended. An answer that no workspace waits for changes nothing: the next inventory shows what is there.
import type { WorkspaceName } from '@berth/shared/names'
import { change, depart, enter, setNetwork, withContainer, type Draft } from '../state/draft.ts'
import type { Event, Workspace, WorkspaceStep } from '../domain.ts'
import { addressOf } from '../state/address.ts'
import { policyOf } from '../state/deadlines.ts'
import { isUp } from '../state/phases.ts'
import { exitedAtStart } from '../lifecycle/failures.ts'
import { withListeners } from '../lifecycle/start-failures.ts'
import * as freezing from '../lifecycle/freezing.ts'
import { exited, fail, tryLater } from '../lifecycle/transitions.ts'
import { noteRenameFailed } from '../lifecycle/rename.ts'

type Answer<T extends Event['type']> = Extract<Event, { type: T }>

/** The workspace that waits for the answer to this step, which is then no longer under way. */
function answered(draft: Draft, name: WorkspaceName, step: WorkspaceStep): Workspace | undefined {
  const workspace = draft.workspaces.get(name)
  if (workspace?.pending?.step !== step) return undefined
  return change(draft, workspace, { pending: undefined, changedAt: draft.now })
}

export function notePull(draft: Draft, event: Answer<'pull-progressed'>): void {
  const workspace = draft.workspaces.get(event.workspace)
  if (workspace?.phase !== 'pulling' || workspace.pullPercent === event.percent) return
  change(draft, workspace, { pullPercent: event.percent })
}

export function noteImage(draft: Draft, event: Answer<'image-present'>): void {
  const workspace = answered(draft, event.workspace, 'pull')
  if (workspace?.phase !== 'pulling') return
  // Its template may name another by now, which has to be pulled yet.
  const wanted = draft.config.templates.get(workspace.template)?.spec.image
  if (wanted === undefined || wanted === event.image) enter(draft, workspace, 'creating')
}

export function noteCreated(draft: Draft, event: Answer<'container-created'>): void {
  const workspace = answered(draft, event.workspace, 'create')
  if (workspace === undefined) return
  const served = workspace.seats.length
  const made = change(draft, workspace, { container: event.container, served })
  rememberHome(draft, made)
  if (made.phase === 'creating') enter(draft, made, 'starting')
}

/** The owner of a new home counts from now on, not only from the next inventory. */
function rememberHome(draft: Draft, { template, owner }: Workspace): void {
  if (owner === undefined || draft.config.templates.get(template)?.spec.home === undefined) return
  if (draft.subjects.has(owner.name)) return
  draft.subjects = new Map([...draft.subjects, [owner.name, owner.subject]])
}

export function noteStarted(draft: Draft, event: Answer<'container-started'>): void {
  if (draft.workspaces.get(event.workspace)?.container?.generation !== event.generation) return
  const workspace = answered(draft, event.workspace, 'start')
  if (workspace === undefined) return
  const hasDied = workspace.diedAt !== undefined
  const { exitCode } = workspace.container ?? {}
  const started = change(draft, workspace, {
    diedAt: undefined,
    stoodByMs: undefined,
    container: withContainer(workspace, {
      // Also when a death was heard of meanwhile: that may have been an earlier try's.
      status: 'running',
      startedAt: draft.now,
      address: event.address,
      outOfMemory: false,
      ...(event.health === undefined ? {} : { health: event.health }),
    }),
  })
  if (started.phase !== 'starting') return
  if (hasDied) return void fail(draft, started, exitedAtStart(exitCode))
  const { startTimeoutMs } = policyOf(draft.config, started)
  const readyBy = draft.now + startTimeoutMs
  enter(draft, started, 'probing', { readyBy, met: undefined, probed: [] })
}

export function noteFrozen(draft: Draft, event: Answer<'container-frozen'>): void {
  const workspace = answered(draft, event.workspace, 'freeze')
  if (workspace?.container?.generation === event.generation) freezing.noteFrozen(draft, workspace)
}

export function noteThawed(draft: Draft, event: Answer<'container-thawed'>): void {
  const workspace = answered(draft, event.workspace, 'thaw')
  if (workspace?.container?.generation === event.generation) freezing.noteThawed(draft, workspace)
}

export function noteStopped(draft: Draft, event: Answer<'container-stopped'>): void {
  if (draft.workspaces.get(event.workspace)?.container?.generation !== event.generation) return
  const workspace = answered(draft, event.workspace, 'stop')
  if (workspace === undefined) return
  const { failure } = workspace
  const port = addressOf(draft.config, workspace)?.port
  change(draft, workspace, {
    container: exited(workspace, event.exitCode),
    deathUnheard: isUp(workspace.container),
    ...(failure === undefined || port === undefined
      ? {}
      : { failure: withListeners(failure, event.listeners ?? [], port) }),
  })
}

export function noteRemoved(draft: Draft, event: Answer<'container-removed'>): void {
  const workspace = answered(draft, event.workspace, 'remove')
  if (workspace === undefined) return
  const failure = workspace.stopReason === 'failed' ? event.failure : undefined
  depart(draft, workspace.container)
  change(draft, workspace, {
    container: undefined,
    deathUnheard: false,
    failure: failure ?? workspace.failure,
  })
}

export function noteStepFailed(draft: Draft, event: Answer<'step-failed'>): void {
  const workspace = answered(draft, event.workspace, event.step)
  if (workspace === undefined) return
  if (event.step === 'freeze') return freezing.noteFreezeFailed(draft, workspace, event.retry)
  if (event.step === 'rename') return noteRenameFailed(draft, workspace)
  if (event.step === 'thaw') return freezing.noteThawFailed(draft, workspace)
  const isTeardown = event.step === 'stop' || event.step === 'remove'
  if (isTeardown) {
    // What is there has to go, however often it takes.
    change(draft, workspace, { retryAt: draft.now + draft.config.retryAfterMs })
    return
  }
  // A start whose answer was lost may have taken place: it is stopped like one that runs.
  const doubtful =
    event.step === 'start' && event.retry
      ? change(draft, workspace, { container: withContainer(workspace, { status: 'running' }) })
      : workspace
  if (doubtful.phase === 'stopping' || doubtful.phase === 'stopped') return
  if (event.retry) tryLater(draft, doubtful, event.failure)
  else fail(draft, doubtful, event.failure)
}

export function noteNetworkCreated(draft: Draft, event: Answer<'network-created'>): void {
  const network = draft.networks.get(event.index)
  if (network?.status === 'creating')
    setNetwork(draft, network, { status: 'up', retryAt: undefined, changedAt: draft.now })
}

export function noteNetworkFailed(draft: Draft, event: Answer<'network-failed'>): void {
  const network = draft.networks.get(event.index)
  if (network === undefined || network.status === 'up') return
  const isTaken = event.taken || draft.foreignIndexes.has(event.index)
  if (isTaken && network.status === 'creating') {
    draft.networks.delete(event.index)
    draft.foreignIndexes = new Set([...draft.foreignIndexes, event.index])
    return
  }
  setNetwork(draft, network, { retryAt: draft.now + draft.config.retryAfterMs })
  const workspace =
    network.workspace === undefined ? undefined : draft.workspaces.get(network.workspace)
  if (workspace?.phase !== 'creating' || workspace.retryUntil !== undefined) return
  const { startTimeoutMs } = policyOf(draft.config, workspace)
  change(draft, workspace, { retryUntil: draft.now + startTimeoutMs })
}

export function noteNetworkRemoved(draft: Draft, event: Answer<'network-removed'>): void {
  const network = draft.networks.get(event.index)
  if (network?.status !== 'removing') return
  draft.networks.delete(event.index)
  draft.departed.set(event.index, draft.now)
  if (network.restsUntil > draft.now) draft.restingIndexes.set(event.index, network.restsUntil)
}
