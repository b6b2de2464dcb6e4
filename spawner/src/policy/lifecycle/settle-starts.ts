// What is due for a workspace that starts: the next step, until a director reaches it or the start has failed.
import { change, enter, order, rests, type Draft } from '../state/draft.ts'
import type { Failure, Workspace } from '../domain.ts'
import { addressOf } from '../state/address.ts'
import { idleStopAt, lastAnswerMs, probeGraceMs } from '../state/deadlines.ts'
import { heldMemory, memoryOf } from '../state/tally.ts'
import { announceEnd, hasOutlived } from './end-of-life.ts'
import { failures } from './failures.ts'
import { neverHealthy, neverReady } from './start-failures.ts'
import { fail, isAwaited, stop } from './transitions.ts'
import { assignNetwork, networkOf } from '../networks.ts'
import { isSpent } from '../seats/seat-table.ts'
import { tearDown } from './teardown.ts'

export function settleStart(draft: Draft, workspace: Workspace): void {
  if (rests(draft, workspace)) return
  const { name, container } = workspace
  if (container !== undefined && workspace.phase !== 'starting')
    return void tearDown(draft, workspace, container)
  if (workspace.phase === 'pulling') {
    const { template } = workspace
    order(draft, workspace, 'pull', { type: 'pull-image', workspace: name, template })
    return
  }
  if (workspace.phase === 'creating') return settleCreating(draft, workspace)
  const network = networkOf(draft, workspace)
  if (container === undefined || network === undefined) {
    const reservedBytes = heldMemory(workspace)
    enter(draft, { ...workspace, network: undefined, reservedBytes }, 'pulling')
    return
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
  const network = assignNetwork(draft, workspace)
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
    }
    return
  }
  const reservedBytes = memoryOf(draft.config, placed.template)
  if (!hasMemoryFor(draft, placed, reservedBytes)) {
    enter(draft, { ...placed, network: undefined }, 'queued')
    return
  }
  const { name, template, kind, owner } = placed
  const step = { type: 'create-container', workspace: name, template, kind, owner } as const
  order(draft, { ...placed, reservedBytes }, 'create', { ...step, network: network.index })
}

/** Its template may need more by now than when it was given its place. */
function hasMemoryFor({ config, tally }: Draft, workspace: Workspace, bytes: number): boolean {
  const { maxMemoryBytes } = config.limits
  const held = heldMemory(workspace)
  return maxMemoryBytes === 0 || bytes <= held || tally.memoryBytes - held + bytes <= maxMemoryBytes
}

export function settleProbing(draft: Draft, former: Workspace): void {
  const workspace = announceEnd(draft, former)
  const { container, readyBy } = workspace
  if (draft.engine.reachable) {
    if (hasOutlived(draft, workspace)) return endNow(draft, workspace, 'lifetime')
    if (isCutOff(draft, workspace)) return endNow(draft, workspace, 'replaced')
  }
  const isHealthy = container?.health === undefined || container.health === 'healthy'
  const anyConnected = isAnyConnected(draft)
  if (isHealthy && !anyConnected) {
    // No director can probe it, and no person asks for it: it only ends as an idle workspace would.
    if (draft.engine.reachable && idleStopAt(draft.config, workspace) <= draft.now)
      endNow(draft, workspace, 'idle')
    return
  }
  // The directors may have connected only now. A director that probed and gave up gets no more time.
  const isUnasked = workspace.probed.length === 0 && workspace.retryAt === undefined
  const isAsked = workspace.probed.length > 0
  const grace = !isHealthy ? 0 : isUnasked ? probeGraceMs : isAsked ? lastAnswerMs : 0
  // Another director may have reached it and hold a lease, which stays good.
  const endsAt = Math.max((readyBy ?? Number.POSITIVE_INFINITY) + grace, workspace.leasedUntil)
  if (endsAt <= draft.now && draft.engine.reachable) {
    fail(draft, workspace, isHealthy ? unanswered(draft, workspace) : neverHealthy)
    return
  }
  if (isHealthy) probe(draft, workspace)
}

function unanswered({ config }: Draft, workspace: Workspace): Failure {
  const { port = 0 } = addressOf(config, workspace) ?? {}
  const { readyPath = '/' } = config.templates.get(workspace.template)?.spec ?? {}
  return neverReady(workspace.met, port, readyPath)
}

function isAnyConnected(draft: Draft): boolean {
  for (const director of draft.directors.values()) if (director.connected) return true
  return false
}

function probe(draft: Draft, workspace: Workspace): void {
  const network = networkOf(draft, workspace)
  const template = draft.config.templates.get(workspace.template)
  const { container, retryAt } = workspace
  const address = addressOf(draft.config, workspace)
  if (network === undefined || template === undefined || container === undefined) return
  if (address === undefined) return
  if (retryAt !== undefined && retryAt > draft.now) return
  const directors = network.attached.filter(
    (id) => draft.directors.get(id)?.connected === true && !workspace.probed.includes(id),
  )
  if (directors.length === 0) return
  const isUnasked = workspace.probed.length === 0 && retryAt === undefined
  const grace = isUnasked ? Math.min(probeGraceMs, template.policy.startTimeoutMs) : 0
  const readyBy = Math.max(workspace.readyBy ?? draft.now, draft.now + grace)
  change(draft, workspace, {
    probed: [...workspace.probed, ...directors],
    readyBy,
  })
  for (const director of directors)
    draft.steps.push({
      type: 'probe',
      director,
      workspace: workspace.name,
      generation: container.generation,
      address,
      path: template.spec.readyPath,
      deadlineMs: Math.max(1, readyBy - draft.now),
    })
}

/** It runs where no director can reach it, and no director holds a lease. */
export function isCutOff(draft: Draft, workspace: Workspace): boolean {
  if (workspace.leasedUntil > draft.now) return false
  return workspace.container?.address === undefined || networkOf(draft, workspace) === undefined
}

export function endNow(
  draft: Draft,
  workspace: Workspace,
  reason: 'idle' | 'lifetime' | 'replaced',
): void {
  const wanted = reason === 'replaced' && isAwaited(draft, workspace)
  const retires = reason === 'idle' && isSpent(draft.config, workspace, draft.now)
  stop(draft, workspace, retires ? 'retired' : reason, { wanted })
}
