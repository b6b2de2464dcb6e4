// Teardown: containers that are stopped, removed, or kept as stopped until their removal is due. Also the eviction of
// stopped ones when networks are short.
import { isGuestName } from '@berth/shared/names'
import { change, drop, order, rests, type Draft } from '../state/draft.ts'
import type { Container, Workspace } from '../domain.ts'
import { forgetAt, idleRemoveAt } from '../state/deadlines.ts'
import { isUp } from '../state/phases.ts'
import { finishStop, startOf } from './transitions.ts'
import { releaseNetworks, networkOf } from '../networks.ts'
import { isOfFormerKind } from '../seats/seat-table.ts'

export function settleStopping(draft: Draft, workspace: Workspace): void {
  const { container } = workspace
  if (workspace.pending !== undefined) return
  if (container !== undefined && (isUp(container) || mustGo(draft, workspace))) {
    if (!rests(draft, workspace)) tearDown(draft, workspace, container)
    return
  }
  finishStop(draft, workspace)
}

/** Whether the container is removed after it was stopped. */
function mustGo(draft: Draft, workspace: Workspace): boolean {
  if (workspace.container?.status === 'created') return true
  if (networkOf(draft, workspace) === undefined || workspace.kind === 'standby') return true
  switch (workspace.stopReason) {
    case 'failed':
    case 'lifetime':
    case 'replaced':
    case 'retired':
    case 'removed':
      return true
    case 'cancelled':
      return startOf(workspace)?.kind !== 'stopped'
    case 'idle':
    case 'evicted':
    case 'asked':
    case undefined:
      return endsForGood(draft, workspace)
  }
}

/** No request starts it again, or it is a guest's: of a guest nothing is kept. */
function endsForGood({ config }: Draft, workspace: Workspace): boolean {
  const { template, owner } = workspace
  if (owner !== undefined && isGuestName(owner.name)) return true
  return !config.templates.has(template) || isOfFormerKind(config, workspace)
}

/** One step towards having no container: stopped first, then removed. */
export function tearDown(draft: Draft, workspace: Workspace, container: Container): void {
  const { name, template, failure } = workspace
  const { generation } = container
  if (isUp(container)) {
    const step = { type: 'stop-container', workspace: name, generation, template } as const
    const isRefused = workspace.stopReason === 'failed' && failure?.obstacle === 'refused'
    order(draft, workspace, 'stop', isRefused ? { ...step, findsListeners: true } : step)
    return
  }
  const step = { type: 'remove-container', workspace: name, generation } as const
  const reads = workspace.stopReason === 'failed' && failure !== undefined
  order(draft, workspace, 'remove', reads ? { ...step, failure } : step)
}

export function settleStopped(draft: Draft, workspace: Workspace): void {
  const { container } = workspace
  if (container === undefined) {
    const isTold = workspace.stopReason === 'lifetime' || workspace.cancelledAt !== undefined
    if (!isTold || forgetAt(draft.config, workspace) <= draft.now) drop(draft, workspace)
    else if (workspace.network !== undefined) change(draft, workspace, { network: undefined })
    return
  }
  if (rests(draft, workspace)) return
  const isDue = idleRemoveAt(draft.config, workspace) <= draft.now
  if (isDue || endsForGood(draft, workspace) || networkOf(draft, workspace) === undefined)
    tearDown(draft, workspace, container)
}

/** Removes the containers that have been stopped for longest, before their time, so that `wanted` networks are free. */
export function evictForNetworks(draft: Draft, wanted: number): void {
  releaseNetworks(draft)
  let missing = wanted - countComing(draft)
  const stopped: Workspace[] = []
  for (const workspace of draft.workspaces.values()) {
    if (missing <= 0) return
    if (isLeaving(draft, workspace)) missing--
    else if (workspace.phase === 'stopped' && workspace.container !== undefined)
      if (!rests(draft, workspace)) stopped.push(workspace)
  }
  stopped.sort((a, b) => a.lastUseAt - b.lastUseAt)
  for (const workspace of stopped) {
    if (missing-- <= 0) return
    if (workspace.container !== undefined) tearDown(draft, workspace, workspace.container)
  }
}

/** It will give up its network. One that is started again keeps it, although its former container is removed first. */
function isLeaving(draft: Draft, workspace: Workspace): boolean {
  const { phase, pending } = workspace
  const isRemoved = pending?.step === 'remove' && phase === 'stopped'
  if (!isRemoved && phase !== 'stopping') return false
  return networkOf(draft, workspace) !== undefined && (isRemoved || mustGo(draft, workspace))
}

/** Networks that no workspace has and that will be free. */
function countComing(draft: Draft): number {
  let coming = 0
  for (const { workspace, status } of draft.networks.values())
    if (workspace === undefined || status === 'removing') coming++
  for (const until of draft.restingIndexes.values()) if (until > draft.now) coming++
  return coming
}
