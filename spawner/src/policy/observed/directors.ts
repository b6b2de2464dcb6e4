// Directors as they come and go: attached to what they need, then introduced, and introduced again after a break.
import { change, setNetwork, type Draft } from '../state/draft.ts'
import type { DirectorId, Network, NetworkIndex } from '../domain.ts'

export function connectDirector(draft: Draft, id: DirectorId): void {
  const askedAt = draft.directors.get(id)?.askedAt ?? Number.NEGATIVE_INFINITY
  draft.directors.set(id, { id, connected: true, introduced: false, askedAt })
  forgetProbes(draft, id)
  forgetConnections(draft, id)
}

export function disconnectDirector(draft: Draft, id: DirectorId): void {
  const director = draft.directors.get(id)
  if (director === undefined) return
  draft.directors.set(id, { ...director, connected: false, introduced: false })
  forgetProbes(draft, id)
}

/** A director that asks is wanted on the networks, also when its stream is not open. */
export function noteAsking(draft: Draft, id: DirectorId): void {
  const known = draft.directors.get(id) ?? { id, connected: false, introduced: false }
  if (known.connected) return
  draft.directors.set(id, { ...known, askedAt: draft.now })
  draft.concernsAll = true
}

/** What was sent on a stream that broke may never have arrived. */
function forgetProbes(draft: Draft, id: DirectorId): void {
  for (const workspace of draft.workspaces.values())
    if (workspace.probed.includes(id))
      change(draft, workspace, { probed: workspace.probed.filter((probed) => probed !== id) })
}

export function noteAttached(draft: Draft, index: NetworkIndex, id: DirectorId): void {
  const network = draft.networks.get(index)
  if (network === undefined) return
  setNetwork(draft, network, {
    ...without(network, id),
    attached: [...network.attached.filter((attached) => attached !== id), id],
    changedAt: draft.now,
  })
}

export function noteNotAttached(draft: Draft, index: NetworkIndex, id: DirectorId): void {
  const network = draft.networks.get(index)
  if (network === undefined) return
  const kept = without(network, id)
  const retryAt = draft.now + draft.config.retryAfterMs
  setNetwork(draft, network, { ...kept, failing: [...kept.failing, { director: id, retryAt }] })
}

function without(network: Network, id: DirectorId) {
  return {
    attaching: network.attaching.filter(({ director }) => director !== id),
    failing: network.failing.filter(({ director }) => director !== id),
  }
}

/** Those through one that is gone have ended, and one that comes says what it has. */
export function forgetConnections(draft: Draft, id: DirectorId): void {
  for (const workspace of draft.workspaces.values()) {
    if (!workspace.seats.some(({ connections }) => connections.has(id))) continue
    const seats = workspace.seats.map((seat) => ({
      ...seat,
      connections: new Map([...seat.connections].filter(([director]) => director !== id)),
    }))
    change(draft, workspace, { seats })
  }
}

export function introduceDirectors(draft: Draft): void {
  for (const director of draft.directors.values()) {
    if (!director.connected || director.introduced) continue
    if (draft.engine.reachable && !isPlaced(draft, director.id)) continue
    draft.directors.set(director.id, { ...director, introduced: true })
    draft.steps.push({ type: 'introduce', director: director.id })
  }
}

/** On every network there is, as far as that succeeded. */
function isPlaced(draft: Draft, id: DirectorId): boolean {
  for (const network of draft.networks.values()) {
    if (network.status !== 'up' || network.attached.includes(id)) continue
    if (!network.failing.some(({ director }) => director === id)) return false
  }
  return true
}
