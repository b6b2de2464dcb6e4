// Networks: which one a workspace gets, which are kept as spares, which are removed. A network rests before another
// workspace gets it.
import type { WorkspaceName } from '@berth/shared/names'
import { setNetwork, type Draft } from './state/draft.ts'
import type { DirectorId, Network, NetworkIndex, Workspace } from './domain.ts'
import { leaseSpan, quietAt } from './state/deadlines.ts'
import { concernedNetworkIndexes } from './state/changes.ts'

type Egress = Network['egress']

/** The network of the workspace, as long as it can be used. */
export function networkOf(draft: Draft, workspace: Workspace): Network | undefined {
  if (workspace.network === undefined) return undefined
  const network = draft.networks.get(workspace.network)
  if (network?.workspace !== workspace.name || network.status === 'removing') return undefined
  return network
}

/**
 * The workspace's own network if it has the egress of the template, else a spare, else a new one; `undefined` when the
 * pool has no number left.
 */
export function assignNetwork(draft: Draft, workspace: Workspace): Network | undefined {
  const egress = egressOf(draft, workspace)
  const own = networkOf(draft, workspace)
  if (own?.egress === egress) return own
  const spare = bestSpare(draft, egress)
  if (spare !== undefined) return setNetwork(draft, spare, { workspace: workspace.name })
  return createNetwork(draft, workspace.name, egress)
}

export function egressOf({ config }: Draft, { template }: Workspace): Egress {
  return config.templates.get(template)?.spec.egress ?? 'internet'
}

function bestSpare(draft: Draft, egress: Egress): Network | undefined {
  let best: Network | undefined
  for (const network of draft.networks.values()) {
    if (network.workspace !== undefined || network.status !== 'up') continue
    if (network.egress !== egress) continue
    if (network.restsUntil > draft.now) continue
    if (best === undefined || network.attached.length > best.attached.length) best = network
  }
  return best
}

function createNetwork(
  draft: Draft,
  workspace: WorkspaceName | undefined,
  egress: Egress,
): Network | undefined {
  const index = freeIndex(draft)
  if (index === undefined) return undefined
  draft.steps.push({ type: 'create-network', index, egress })
  const network: Network = {
    index,
    status: 'creating',
    egress,
    workspace,
    attached: [],
    attaching: [],
    failing: [],
    restsUntil: Number.NEGATIVE_INFINITY,
    changedAt: draft.now,
  }
  draft.networks.set(index, network)
  return network
}

function freeIndex(draft: Draft): NetworkIndex | undefined {
  for (let index = 0; index < draft.config.networkCount; index++) {
    if (draft.networks.has(index) || draft.foreignIndexes.has(index)) continue
    if ((draft.restingIndexes.get(index) ?? Number.NEGATIVE_INFINITY) > draft.now) continue
    return index
  }
  return undefined
}

/** Orders what networks need: they are released, created, attached to directors, removed. */
export function planNetworks(draft: Draft): void {
  releaseNetworks(draft)
  if (!draft.engine.reachable) return
  const spares: Network[] = []
  for (const network of draft.networks.values()) {
    if (network.workspace === undefined && network.status !== 'removing') spares.push(network)
    if (network.retryAt !== undefined && network.retryAt <= draft.now) retryNetwork(draft, network)
  }
  const wanted = egressesWanted(draft)
  for (const egress of ['internet', 'none'] as const) {
    const count = wanted.has(egress) ? draft.config.spareNetworks : 0
    const alike = spares.filter((spare) => spare.egress === egress)
    keepSpares(draft, alike, { egress, count })
  }
  attachDirectors(draft)
}

/** A network that its workspace gave up rests for a lease, then it is a spare. */
export function releaseNetworks(draft: Draft): void {
  for (const network of concernedNetworks(draft)) {
    if (network.workspace === undefined) continue
    if (draft.workspaces.get(network.workspace)?.network === network.index) continue
    setNetwork(draft, network, {
      workspace: undefined,
      restsUntil: Math.max(network.restsUntil, draft.now + leaseSpan(draft.config)),
    })
  }
}

function concernedNetworks(draft: Draft): Iterable<Network> {
  return [...concernedNetworkIndexes(draft)].flatMap((index) => draft.networks.get(index) ?? [])
}

function retryNetwork(draft: Draft, network: Network): void {
  const { index, egress } = network
  setNetwork(draft, network, { retryAt: undefined, changedAt: draft.now })
  if (network.status === 'creating') draft.steps.push({ type: 'create-network', index, egress })
  else draft.steps.push({ type: 'remove-network', index })
}

/** The egress of each template that is offered. */
function egressesWanted({ config }: Draft): ReadonlySet<Egress> {
  const wanted = new Set<Egress>()
  for (const { spec } of config.templates.values()) wanted.add(spec.egress)
  return wanted
}

function keepSpares(
  draft: Draft,
  spares: Network[],
  { egress, count }: { readonly egress: Egress; readonly count: number },
): void {
  const quiet = isQuiet(draft)
  for (let missing = quiet ? count - spares.length : 0; missing > 0; missing--)
    if (createNetwork(draft, undefined, egress) === undefined) return
  if (spares.length <= count) return
  if (!quiet && freeIndex(draft) !== undefined) return
  spares.sort((a, b) => rank(a) - rank(b) || a.restsUntil - b.restsUntil || a.index - b.index)
  for (const network of spares.slice(count)) {
    if (network.status !== 'up' || network.attaching.length > 0) continue
    if (network.restsUntil > draft.now) continue
    setNetwork(draft, network, { status: 'removing', changedAt: draft.now })
    draft.steps.push({ type: 'remove-network', index: network.index })
  }
}

/**
 * No workspace starts, and none has started a short time ago. A new or removed network interface of the machine makes
 * browsers on it abort what they load.
 */
const isQuiet = (draft: Draft) => draft.tally.starting === 0 && quietAt(draft) <= draft.now

const rank = (network: Network) => (network.status === 'up' ? 0 : 1)

/** Directors that should be on every network: their stream is open, or they requested a seat a short time ago. */
function attachable(draft: Draft): readonly DirectorId[] {
  const ids: DirectorId[] = []
  for (const director of draft.directors.values())
    if (director.connected || director.askedAt + draft.config.presenceMs > draft.now)
      ids.push(director.id)
  return ids
}

function attachDirectors(draft: Draft): void {
  const directors = attachable(draft)
  if (directors.length === 0) return
  const spares: Network[] = []
  for (const network of concernedNetworks(draft)) {
    if (network.status !== 'up') continue
    if (network.workspace === undefined) spares.push(network)
    else attach(draft, network, directors)
  }
  for (const network of spares) attach(draft, network, directors)
}

function attach(draft: Draft, network: Network, directors: readonly DirectorId[]): void {
  const missing = directors.filter(
    (id) =>
      !network.attached.includes(id) &&
      !network.attaching.some(({ director }) => director === id) &&
      !network.failing.some(({ director, retryAt }) => director === id && retryAt > draft.now),
  )
  if (missing.length === 0) return
  setNetwork(draft, network, {
    attaching: [...network.attaching, ...missing.map((id) => ({ director: id, since: draft.now }))],
    failing: network.failing.filter(({ director }) => !missing.includes(director)),
  })
  for (const director of missing)
    draft.steps.push({ type: 'attach-director', index: network.index, director })
}
