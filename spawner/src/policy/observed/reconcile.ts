// Compares an inventory of the engine with the state: what the engine shows wins, except for what changed after the
// inventory began. Over 300 lines: networks and containers are compared by the same rules of age, side by side.
import { numberOf, type WorkspaceName } from '@berth/shared/names'
import { change, enter, freshWorkspace, setNetwork, type Draft } from '../state/draft.ts'
import { isUp } from '../state/phases.ts'
import { memoryOf } from '../state/tally.ts'
import type {
  Container,
  Generation,
  Inventory,
  Network,
  NetworkIndex,
  FoundNetwork,
  Workspace,
} from '../domain.ts'
import { leaseSpan, policyOf } from '../state/deadlines.ts'
import { forgetConnections } from './directors.ts'
import { forgetFailuresOfImages } from '../lifecycle/forget-failures.ts'
import { becomeFrozen, becomeThawed } from '../lifecycle/freezing.ts'
import { endFormerSeats, presentTemplate } from '../lifecycle/take-over.ts'
import { enqueue, endByItself, isAwaited, stop, vanish } from '../lifecycle/transitions.ts'
import { reviewHomes } from '../homes.ts'
import { died } from './engine-events.ts'
import { asKnown, restoreQueue, type KnownContainer } from './restore.ts'

/** Longer than any executor may take: a step without an answer by then has lost it. */
const stepLostMs = { pull: 4 * 3_600_000, other: 15 * 60_000 } as const

export function reconcile(draft: Draft, inventory: Inventory): void {
  const isFirst = draft.reconciledAt === undefined
  if (inventory.startedAt < (draft.reconciledAt ?? Number.NEGATIVE_INFINITY)) return
  const wasAway = !draft.engine.reachable
  draft.reconciledAt = inventory.startedAt
  draft.engine = { reachable: true }
  draft.foreignIndexes = new Set(inventory.foreignIndexes)
  draft.foreignNames = new Set(inventory.foreignNames)
  draft.subjects = inventory.subjects
  const { images } = draft
  draft.images = inventory.images
  forgetFailuresOfImages(draft, images)
  if (wasAway) retryEverything(draft)
  noteNetworks(draft, inventory)
  noteContainers(draft, inventory, wasAway)
  if (isFirst) {
    restoreQueue(draft)
    endFormerSeats(draft)
  }
  forgetDirectors(draft, inventory)
  reviewHomes(draft, inventory)
  for (const [what, at] of draft.departed.entries())
    if (at < inventory.startedAt) draft.departed.delete(what)
}

/** Failures while the engine was away do not count. */
function retryEverything(draft: Draft): void {
  for (const workspace of draft.workspaces.values())
    if (workspace.retryAt !== undefined || workspace.retryUntil !== undefined)
      change(draft, workspace, { retryAt: undefined, retryUntil: undefined })
}

function noteNetworks(draft: Draft, inventory: Inventory): void {
  const seen = new Map<NetworkIndex, FoundNetwork>()
  for (const network of inventory.networks) seen.set(network.index, network)
  for (const network of draft.networks.values()) {
    const there = seen.get(network.index)
    if (isTaken(draft, network)) draft.networks.delete(network.index)
    else if (isNetworkNewer(network, inventory)) continue
    else if (there === undefined) noteNetworkGone(draft, network)
    else if (network.status !== 'removing') noteNetworkThere(draft, network, there, inventory)
    // The answer was lost, or it was ordered in vain.
    else if (network.retryAt === undefined) setNetwork(draft, network, { retryAt: draft.now })
  }
  for (const network of inventory.networks) adoptNetwork(draft, network, inventory)
  for (const [index, until] of draft.restingIndexes.entries())
    if (until <= draft.now) draft.restingIndexes.delete(index)
}

/** It could not be created: the inventory shows that its subnet belongs to another program. */
function isTaken(draft: Draft, network: Network): boolean {
  const isUnmade = network.status === 'creating' && network.retryAt !== undefined
  return isUnmade && draft.foreignIndexes.has(network.index)
}

function isNetworkNewer(network: Network, inventory: Inventory): boolean {
  const isInFlight = network.status !== 'up' && network.retryAt === undefined
  const since = isInFlight ? network.changedAt + stepLostMs.other : network.changedAt
  return since >= inventory.startedAt
}

function noteNetworkGone(draft: Draft, network: Network): void {
  if (network.status === 'creating' && network.retryAt !== undefined) return
  draft.networks.delete(network.index)
  draft.departed.set(network.index, draft.now)
  draft.restingIndexes.set(network.index, draft.now + leaseSpan(draft.config))
}

function noteNetworkThere(
  draft: Draft,
  network: Network,
  there: FoundNetwork,
  inventory: Inventory,
): void {
  const attaching = network.attaching.filter(
    ({ since }) => since + stepLostMs.other >= inventory.startedAt,
  )
  const isSame =
    network.status === 'up' &&
    network.attaching.length === attaching.length &&
    network.attached.length === there.attached.length &&
    there.attached.every((director) => network.attached.includes(director))
  if (isSame) return
  const patch = { status: 'up', attached: there.attached, attaching, retryAt: undefined } as const
  setNetwork(draft, network, patch)
}

/** It may have belonged to a workspace until now. */
function adoptNetwork(draft: Draft, there: FoundNetwork, inventory: Inventory): void {
  if (draft.networks.has(there.index)) return
  if (isDeparted(draft, there.index, inventory)) return
  draft.networks.set(there.index, {
    index: there.index,
    status: 'up',
    egress: there.egress,
    attached: there.attached,
    attaching: [],
    failing: [],
    restsUntil: draft.now + leaseSpan(draft.config),
    changedAt: Number.NEGATIVE_INFINITY,
  })
}

function noteContainers(draft: Draft, inventory: Inventory, wasAway: boolean): void {
  const seen = new Set<WorkspaceName>()
  for (const there of asKnown(draft, inventory.containers)) {
    seen.add(there.workspace)
    if (isDeparted(draft, there.container.generation, inventory)) continue
    // No workspace gets the number of a network that is gone while a container still names it.
    if (there.network !== undefined && !draft.networks.has(there.network))
      draft.restingIndexes.set(there.network, draft.now + leaseSpan(draft.config))
    const workspace = draft.workspaces.get(there.workspace)
    if (workspace === undefined) {
      if (!isDeparted(draft, there.workspace, inventory)) adopt(draft, there, inventory)
    } else if (!isNewer(workspace, inventory))
      noteThere(draft, workspace, there, inventory, wasAway)
  }
  for (const workspace of draft.workspaces.values()) {
    if (seen.has(workspace.name) || isNewer(workspace, inventory)) continue
    const known = withoutLostStep(draft, workspace)
    if (known.container !== undefined) vanish(draft, known)
  }
}

/** It went after the inventory began: what the inventory saw of it is over. */
function isDeparted(
  draft: Draft,
  what: WorkspaceName | Generation | NetworkIndex,
  inventory: Inventory,
): boolean {
  const leftAt = draft.departed.get(what)
  return leftAt !== undefined && leftAt >= inventory.startedAt
}

function isNewer(workspace: Workspace, inventory: Inventory): boolean {
  if (workspace.changedAt >= inventory.startedAt) return true
  if (workspace.pending === undefined) return false
  const { step, since } = workspace.pending
  return since + (step === 'pull' ? stepLostMs.pull : stepLostMs.other) >= inventory.startedAt
}

/** Without the step whose answer was lost, and without an echo that never came. */
function withoutLostStep(draft: Draft, workspace: Workspace): Workspace {
  if (workspace.pending === undefined && !workspace.deathUnheard) return workspace
  return change(draft, workspace, { pending: undefined, deathUnheard: false })
}

function noteThere(
  draft: Draft,
  former: Workspace,
  there: KnownContainer,
  inventory: Inventory,
  wasAway: boolean,
): void {
  const workspace = withoutLostStep(draft, former)
  if (workspace.container?.generation !== there.container.generation)
    return noteOther(draft, workspace, there, inventory)
  const container = asMade(workspace.container, there.container)
  switch (workspace.phase) {
    case 'probing':
    case 'ready':
      if (container.status === 'paused') return foundFrozen(draft, workspace, container)
      if (container.status === 'running') return update(draft, workspace, container)
      if (wasAway) return endWithEngine(draft, workspace, container.exitCode)
      return died(draft, workspace, container.exitCode)
    case 'frozen':
      if (container.status === 'paused') return update(draft, workspace, container)
      if (container.status === 'running') return becomeThawed(draft, workspace, container)
      if (wasAway) return endWithEngine(draft, workspace, container.exitCode)
      return died(draft, workspace, container.exitCode)
    case 'queued':
    case 'stopped':
      if (isUp(container)) return adopt(draft, there, inventory, workspace)
      return update(draft, workspace, container)
    case 'pulling':
    case 'creating':
    case 'starting':
    case 'stopping':
    case 'failed':
      return update(draft, workspace, container)
  }
}

/** We count the life of a container from the answer to our order, the engine from a moment before it. */
const sameStartMs = 5_000

/** What the engine does not tell of a container that it could list and not inspect is what it was before. The start stays
 * the one that people were told the end of. */
function asMade({ memoryBytes, outOfMemory, startedAt }: Container, there: Container): Container {
  const known = {
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(outOfMemory === undefined ? {} : { outOfMemory }),
    ...there,
  }
  if (startedAt === undefined || there.startedAt === undefined) return known
  return Math.abs(there.startedAt - startedAt) < sameStartMs ? { ...known, startedAt } : known
}

/** An operator froze it by hand, or the answer to our own order was lost. */
function foundFrozen(draft: Draft, workspace: Workspace, container: Container): void {
  const { name } = workspace
  const { generation } = container
  if (workspace.leasedUntil > draft.now)
    draft.steps.push({ type: 'revoke', workspace: name, generation })
  becomeFrozen(draft, thawIfAwaited(draft, workspace), container)
}

function thawIfAwaited(draft: Draft, workspace: Workspace): Workspace {
  return isAwaited(draft, workspace) ? { ...workspace, thawRequestedAt: draft.now } : workspace
}

/** The engine went away with everything on it: that is no failure of a start. */
function endWithEngine(draft: Draft, workspace: Workspace, exitCode: number | undefined): void {
  const isAsked = workspace.phase === 'probing' && isAwaited(draft, workspace)
  const ended = endByItself(draft, workspace, exitCode)
  if (isAsked) enqueue(draft, ended, workspace)
}

function update(draft: Draft, workspace: Workspace, there: Container): void {
  const { container } = workspace
  const isSame =
    container !== undefined &&
    container.status === there.status &&
    container.address === there.address &&
    container.health === there.health &&
    container.name === there.name &&
    container.imageId === there.imageId &&
    container.memoryBytes === there.memoryBytes &&
    (container.outOfMemory ?? false) === (there.outOfMemory ?? false) &&
    container.exitCode === there.exitCode
  if (!isSame) change(draft, workspace, { container: there })
}

/** A container other than the one that is known, or one where none is known. */
function noteOther(
  draft: Draft,
  workspace: Workspace,
  there: KnownContainer,
  inventory: Inventory,
): void {
  const { container } = there
  if (isUp(container) && workspace.phase !== 'failed')
    return adopt(draft, there, inventory, workspace)
  switch (workspace.phase) {
    case 'pulling':
    case 'creating':
      // Half made by a call whose answer was lost: creating again finds it.
      if (container.status === 'created') return
      assignNetwork(draft, { ...workspace, container }, there)
      return
    case 'queued':
    case 'stopping':
      assignNetwork(draft, { ...workspace, container }, there)
      return
    case 'failed':
      assignNetwork(draft, { ...workspace, container }, there)
      stop(draft, draft.workspaces.get(workspace.name) ?? workspace, 'failed', {
        failure: workspace.failure,
      })
      return
    case 'starting':
    case 'probing':
    case 'ready':
    case 'frozen':
    case 'stopped':
      return adopt(draft, there, inventory, workspace)
  }
}

/** Takes a container into the plan as it is found. */
function adopt(draft: Draft, there: KnownContainer, inventory: Inventory, known?: Workspace): void {
  const { workspace: name, kind, owner, container } = there
  const template = presentTemplate(draft.config, { name, template: there.template })
  if (kind !== 'private') draft.nextTicket = Math.max(draft.nextTicket, numberOf(name) + 1)
  const bare = known ?? freshWorkspace(draft, { name, template, owner })
  const found: Workspace = {
    ...bare,
    ...there.given,
    template,
    kind,
    owner,
    container,
    reservedBytes: memoryOf(draft.config, template),
    ticket: known?.ticket ?? draft.nextTicket++,
    milestones: [],
    requestedAt: draft.now,
    changedAt: known?.changedAt ?? Number.NEGATIVE_INFINITY,
    leasedUntil: Math.max(bare.leasedUntil, draft.now + leaseSpan(draft.config)),
    servesSince: undefined,
    stopReason: undefined,
    failure: undefined,
    probed: [],
  }
  assignNetwork(draft, found, there)
  const placed = draft.workspaces.get(name) ?? found
  if (container.status === 'running') return adoptRunning(draft, placed, inventory)
  if (container.status === 'paused') return adoptFrozen(draft, placed, inventory)
  if (container.status === 'created') return void stop(draft, placed, 'replaced')
  const lastUseAt = inventory.startedAt - (there.finishedAgoMs ?? 0)
  enter(draft, placed, 'stopped', { lastUseAt })
}

function adoptRunning(draft: Draft, workspace: Workspace, inventory: Inventory): void {
  const startedAt = workspace.container?.startedAt ?? inventory.startedAt
  const readyBy = startedAt + policyOf(draft.config, workspace).startTimeoutMs
  const inUse = { lastUseAt: Math.max(workspace.lastUseAt, draft.now) }
  const isOrphan = !draft.config.templates.has(workspace.template)
  if (readyBy <= draft.now || isOrphan)
    enter(draft, workspace, 'ready', { ...inUse, servesSince: startedAt })
  else enter(draft, workspace, 'probing', { ...inUse, readyBy })
}

/** It stays frozen until a person asks for it. */
function adoptFrozen(draft: Draft, workspace: Workspace, inventory: Inventory): void {
  const servesSince = workspace.container?.startedAt ?? inventory.startedAt
  const lastUseAt = Math.max(workspace.lastUseAt, draft.now)
  const known = { ...thawIfAwaited(draft, workspace), servesSince, lastUseAt }
  becomeFrozen(draft, known, workspace.container)
}

/** The network it is on is its own, unless another workspace has it. */
function assignNetwork(draft: Draft, workspace: Workspace, there: KnownContainer): void {
  const network = there.network === undefined ? undefined : draft.networks.get(there.network)
  const isFree = network?.workspace === undefined || network.workspace === workspace.name
  const index = network !== undefined && isFree ? network.index : undefined
  if (network !== undefined && isFree && network.workspace === undefined)
    draft.networks.set(network.index, { ...network, workspace: workspace.name })
  change(draft, workspace, { network: index })
}

function forgetDirectors(draft: Draft, inventory: Inventory): void {
  for (const director of draft.directors.values())
    if (!director.connected && !inventory.directors.includes(director.id))
      if (director.askedAt < inventory.startedAt) {
        draft.directors.delete(director.id)
        forgetConnections(draft, director.id)
      }
}
