// A claim: a standby becomes the workspace of a person, in the decision about their request. Its container stays where
// it is and is renamed afterwards.
import type { Workspace } from '../domain.ts'
import { drop, setNetwork, type Draft } from '../state/draft.ts'
import { inOrder } from '../queue/order.ts'
import { becomeTheirs } from '../lifecycle/transitions.ts'
import { networkOf } from '../networks.ts'
import { isMisnamed, settleName } from '../lifecycle/rename.ts'
import { ownLimitOf } from '../queue/limits.ts'
import { standbysOf } from './standby.ts'
import { changedWorkspaces } from '../state/changes.ts'

/** People who wait for a private workspace and have no container of their own claim standbys, in queue order. */
export function claimStandbys(draft: Draft): void {
  if (draft.config.house?.maintenance !== undefined) return
  const ready = standbysOf(draft).filter((standby) => isReady(draft, standby))
  if (ready.length === 0) return
  const offered = new Set(ready.map(({ template }) => template))
  const waiting: Workspace[] = []
  for (const name of new Set([...draft.queue, ...changedWorkspaces(draft)])) {
    const workspace = draft.workspaces.get(name)
    if (workspace?.phase === 'queued' && offered.has(workspace.template)) waiting.push(workspace)
  }
  for (const name of inOrder(draft, waiting)) {
    const workspace = draft.workspaces.get(name)
    if (workspace !== undefined) claim(draft, workspace)
  }
}

function claim(draft: Draft, asking: Workspace): void {
  const { kind, owner, container, pending } = asking
  if (kind !== 'private' || owner === undefined) return
  if (container !== undefined || pending !== undefined) return
  if (draft.foreignNames.has(asking.name)) return
  const standby = bestStandbyFor(draft, asking)
  if (standby?.container === undefined) return
  // The standby gives its place to the person, so the limits are checked as if that place were free.
  draft.workspaces.delete(standby.name)
  if (ownLimitOf(draft, asking) !== undefined) {
    draft.workspaces.set(standby.name, standby)
    return
  }
  drop(draft, standby)
  assign(draft, asking, standby)
}

/** The standby that most directors are attached to, and of these the oldest. */
function bestStandbyFor(draft: Draft, asking: Workspace): Workspace | undefined {
  const attached = (workspace: Workspace) => networkOf(draft, workspace)?.attached.length ?? 0
  return standbysOf(draft)
    .filter((standby) => standby.template === asking.template && isReady(draft, standby))
    .sort((a, b) => attached(b) - attached(a) || a.ticket - b.ticket)[0]
}

function isReady(draft: Draft, standby: Workspace): boolean {
  const { phase, pending, container } = standby
  if (phase !== 'ready' || pending !== undefined || isMisnamed(standby)) return false
  return container?.address !== undefined && networkOf(draft, standby) !== undefined
}

function assign(draft: Draft, asking: Workspace, standby: Workspace): void {
  const { container, network: index } = standby
  const network = index === undefined ? undefined : draft.networks.get(index)
  if (container === undefined || network === undefined) return
  setNetwork(draft, network, { workspace: asking.name })
  const stoodByMs = draft.now - (container.startedAt ?? draft.now)
  const theirs: Workspace = {
    ...asking,
    container: { ...container, name: container.name ?? standby.name },
    network: network.index,
    reservedBytes: standby.reservedBytes,
    stoodByMs,
    served: asking.seats.length,
    changedAt: draft.now,
    leasedUntil: standby.leasedUntil,
  }
  settleName(draft, becomeTheirs(draft, theirs))
}
