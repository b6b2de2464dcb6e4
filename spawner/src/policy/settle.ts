// Derives from the state what has to be done and is not under way. Knows no events: deciding twice orders nothing twice.
import { introduceDirectors } from './directors.ts'
import { change, drop, enter, order, type Draft } from './draft.ts'
import type { Container, Workspace } from './domain.ts'
import {
  absentAt,
  forgetAt,
  idleRemoveAt,
  idleStopAt,
  lifetimeEndsAt,
  probeGraceMs,
} from './due.ts'
import { admit } from './admission.ts'
import { failures } from './failures.ts'
import { fail, finishStop, isAwaited, leaveQueue, startOf, stop } from './lifecycle.ts'
import { claimNetwork, networkOf, settleNetworks } from './networks.ts'

export function settle(draft: Draft): void {
  if (draft.looked) {
    for (const workspace of draft.workspaces.values()) settleWorkspace(draft, workspace)
    const cramped = admit(draft, (workspace) => settleWorkspace(draft, workspace))
    if (cramped > 0) makeRoom(draft, cramped)
    settleNetworks(draft)
  }
  if (draft.looked || !draft.engine.reachable) introduceDirectors(draft)
}

function settleWorkspace(draft: Draft, workspace: Workspace): void {
  switch (workspace.phase) {
    case 'queued':
      if (absentAt(draft.config, workspace) <= draft.now) settleLeaving(draft, workspace)
      return
    case 'pulling':
    case 'creating':
    case 'starting':
      return settleStart(draft, workspace)
    case 'probing':
      return settleProbing(draft, workspace)
    case 'ready':
    case 'frozen':
      return settleReady(draft, workspace)
    case 'stopping':
      return settleStopping(draft, workspace)
    case 'stopped':
      return settleStopped(draft, workspace)
    case 'failed':
      if (forgetAt(draft.config, workspace) <= draft.now) drop(draft, workspace)
  }
}

function again(draft: Draft, name: Workspace['name']): void {
  const workspace = draft.workspaces.get(name)
  if (workspace !== undefined) settleWorkspace(draft, workspace)
}

function settleLeaving(draft: Draft, workspace: Workspace): void {
  leaveQueue(draft, workspace)
  again(draft, workspace.name)
}

/** Nothing can be ordered for it now. */
function rests(draft: Draft, workspace: Workspace): boolean {
  if (!draft.engine.reachable || workspace.pending !== undefined) return true
  return workspace.retryAt !== undefined && workspace.retryAt > draft.now
}

function settleStart(draft: Draft, workspace: Workspace): void {
  if (rests(draft, workspace)) return
  const { name, container } = workspace
  if (container !== undefined && workspace.phase !== 'starting')
    return void takeAway(draft, workspace, container)
  if (workspace.phase === 'pulling') {
    const { template } = workspace
    order(draft, workspace, 'pull', { type: 'pull-image', workspace: name, template })
    return
  }
  if (workspace.phase === 'creating') return settleCreating(draft, workspace)
  const network = networkOf(draft, workspace)
  if (container === undefined || network === undefined) {
    enter(draft, { ...workspace, network: undefined }, 'pulling')
    return again(draft, name)
  }
  const { generation } = container
  const step = {
    type: 'start-container',
    workspace: name,
    generation,
    network: network.index,
  } as const
  order(draft, { ...workspace, diedAt: undefined }, 'start', step)
}

function settleCreating(draft: Draft, workspace: Workspace): void {
  const network = claimNetwork(draft, workspace)
  if (network === undefined) {
    // No number is left in the pool: back to its place in the queue.
    enter(draft, { ...workspace, network: undefined }, 'queued')
    return
  }
  const placed =
    network.index === workspace.network
      ? workspace
      : change(draft, workspace, { network: network.index })
  if (network.status !== 'up') {
    if (placed.retryUntil !== undefined && placed.retryUntil <= draft.now) {
      fail(draft, placed, failures.noNetwork)
      again(draft, placed.name)
    }
    return
  }
  const { name, template, owner } = placed
  const step = { type: 'create-container', workspace: name, template, owner } as const
  order(draft, placed, 'create', { ...step, network: network.index })
}

function settleProbing(draft: Draft, workspace: Workspace): void {
  const { container, readyBy } = workspace
  if (draft.engine.reachable) {
    if (lifetimeEndsAt(draft.config, workspace) <= draft.now)
      return endNow(draft, workspace, 'lifetime')
    if (isCutOff(draft, workspace)) return endNow(draft, workspace, 'replaced')
  }
  const isHealthy = container?.health === undefined || container.health === 'healthy'
  const anyConnected = isAnyConnected(draft)
  if (isHealthy && !anyConnected) {
    // Nobody could tell, and nobody asks: it only ends when it would as an idle one.
    if (draft.engine.reachable && idleStopAt(draft.config, workspace) <= draft.now)
      endNow(draft, workspace, 'idle')
    return
  }
  const grace = isHealthy && workspace.probed.length === 0 ? probeGraceMs : 0
  if (readyBy !== undefined && readyBy + grace <= draft.now && draft.engine.reachable) {
    fail(draft, workspace, isHealthy ? failures.neverReady : failures.neverHealthy)
    return again(draft, workspace.name)
  }
  if (isHealthy) probe(draft, workspace)
}

function isAnyConnected(draft: Draft): boolean {
  for (const director of draft.directors.values()) if (director.connected) return true
  return false
}

function probe(draft: Draft, workspace: Workspace): void {
  const network = networkOf(draft, workspace)
  const template = draft.config.templates.get(workspace.template)
  const { container, retryAt } = workspace
  if (network === undefined || template === undefined || container?.address === undefined) return
  if (retryAt !== undefined && retryAt > draft.now) return
  const directors = network.attached.filter(
    (id) => draft.directors.get(id)?.connected === true && !workspace.probed.includes(id),
  )
  if (directors.length === 0) return
  const grace = Math.min(probeGraceMs, template.policy.startTimeoutMs)
  const readyBy = Math.max(workspace.readyBy ?? draft.now, draft.now + grace)
  change(draft, workspace, {
    probed: [...workspace.probed, ...directors],
    readyBy: workspace.probed.length === 0 ? readyBy : workspace.readyBy,
    retryAt: undefined,
  })
  for (const director of directors)
    draft.steps.push({
      type: 'probe',
      director,
      workspace: workspace.name,
      generation: container.generation,
      address: { host: container.address, port: template.spec.port },
      path: template.spec.readyPath,
      deadlineMs: readyBy - draft.now,
    })
}

function settleReady(draft: Draft, workspace: Workspace): void {
  if (!draft.engine.reachable) return
  if (lifetimeEndsAt(draft.config, workspace) <= draft.now)
    return endNow(draft, workspace, 'lifetime')
  if (idleStopAt(draft.config, workspace) <= draft.now) return endNow(draft, workspace, 'idle')
  if (isCutOff(draft, workspace)) endNow(draft, workspace, 'replaced')
}

/** It runs where no director can reach it, and none may think otherwise. */
function isCutOff(draft: Draft, workspace: Workspace): boolean {
  if (workspace.leasedUntil > draft.now) return false
  return workspace.container?.address === undefined || networkOf(draft, workspace) === undefined
}

function endNow(
  draft: Draft,
  workspace: Workspace,
  reason: 'idle' | 'lifetime' | 'replaced',
): void {
  const wanted = reason === 'replaced' && isAwaited(draft, workspace)
  stop(draft, workspace, reason, { wanted })
  again(draft, workspace.name)
}

function settleStopping(draft: Draft, workspace: Workspace): void {
  const { container } = workspace
  if (workspace.pending !== undefined) return
  if (container !== undefined && (container.status === 'running' || mustGo(draft, workspace))) {
    if (!rests(draft, workspace)) takeAway(draft, workspace, container)
    return
  }
  finishStop(draft, workspace)
  again(draft, workspace.name)
}

/** Whether the container is removed after it was stopped. */
function mustGo(draft: Draft, workspace: Workspace): boolean {
  if (workspace.container?.status === 'created') return true
  if (networkOf(draft, workspace) === undefined) return true
  switch (workspace.stopReason) {
    case 'failed':
    case 'lifetime':
    case 'replaced':
      return true
    case 'cancelled':
      return startOf(workspace)?.kind !== 'stopped'
    case 'idle':
    case undefined:
      return !draft.config.templates.has(workspace.template)
  }
}

/** One step towards having no container: stopped first, then removed. */
function takeAway(draft: Draft, workspace: Workspace, container: Container): void {
  const { name, template, failure } = workspace
  const { generation } = container
  if (container.status === 'running') {
    const step = { type: 'stop-container', workspace: name, generation, template } as const
    order(draft, workspace, 'stop', step)
    return
  }
  const step = { type: 'remove-container', workspace: name, generation } as const
  const reads = workspace.stopReason === 'failed' && failure !== undefined
  order(draft, workspace, 'remove', reads ? { ...step, failure } : step)
}

/** For want of networks: who has been stopped for longest gives up container and network, before its time. */
function makeRoom(draft: Draft, cramped: number): void {
  let missing = cramped - countComing(draft)
  if (missing <= 0) return
  const stopped: Workspace[] = []
  for (const workspace of draft.workspaces.values())
    if (workspace.phase === 'stopped' && workspace.container !== undefined)
      if (!rests(draft, workspace)) stopped.push(workspace)
  stopped.sort((a, b) => a.lastUseAt - b.lastUseAt)
  for (const workspace of stopped) {
    if (missing-- <= 0) return
    if (workspace.container !== undefined) takeAway(draft, workspace, workspace.container)
  }
}

/** Networks that will be free without anybody's loss. */
function countComing(draft: Draft): number {
  let coming = 0
  for (const { workspace: holder, status } of draft.networks.values()) {
    const workspace = holder === undefined ? undefined : draft.workspaces.get(holder)
    const isLeaving =
      workspace?.pending?.step === 'remove' ||
      (workspace?.phase === 'stopping' && mustGo(draft, workspace))
    if (workspace === undefined || status === 'removing' || isLeaving) coming++
  }
  for (const until of draft.restingIndexes.entries()) if (until[1] > draft.now) coming++
  return coming
}

function settleStopped(draft: Draft, workspace: Workspace): void {
  const { container } = workspace
  if (container === undefined) {
    const isTold = workspace.stopReason === 'lifetime' || workspace.cancelledAt !== undefined
    if (!isTold || forgetAt(draft.config, workspace) <= draft.now) drop(draft, workspace)
    else if (workspace.network !== undefined) change(draft, workspace, { network: undefined })
    return
  }
  if (rests(draft, workspace)) return
  const isDue = idleRemoveAt(draft.config, workspace) <= draft.now
  if (
    isDue ||
    !draft.config.templates.has(workspace.template) ||
    networkOf(draft, workspace) === undefined
  )
    takeAway(draft, workspace, container)
}
