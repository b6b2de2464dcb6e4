// Which workspaces and networks a decision has to look at: all of them where something changed that concerns all, else
// those that were changed so far. The only access to that from outside of this folder (docs/decisions/0008-copied-maps.md).
import type { WorkspaceName } from '@berth/shared/names'
import type { NetworkIndex } from '../domain.ts'
import type { Draft } from './draft.ts'

/** Set or deleted in this decision so far. */
export function changedWorkspaces(draft: Draft): ReadonlySet<WorkspaceName> {
  return draft.workspaces.touched
}

/** Set or deleted in this decision so far. */
export function changedNetworks(draft: Draft): ReadonlySet<NetworkIndex> {
  return draft.networks.touched
}

/** Those for which something may be due. Changes may be made meanwhile. */
export function concernedWorkspaces(draft: Draft): Iterable<WorkspaceName> {
  return draft.concernsAll ? draft.workspaces.keys() : [...draft.workspaces.touched]
}

/** Of networks that may have changed, and of the former networks of workspaces that did. */
export function concernedNetworkIndexes(draft: Draft): Iterable<NetworkIndex> {
  if (draft.concernsAll) return draft.networks.keys()
  const indexes = new Set(draft.networks.touched)
  for (const name of draft.workspaces.touched) {
    const index = draft.before.workspaces.get(name)?.network
    if (index !== undefined) indexes.add(index)
  }
  return indexes
}

/** A network was changed, or a workspace is on another one than before. */
export function areNetworksChanged(draft: Draft): boolean {
  if (draft.networks.touched.size > 0) return true
  for (const name of draft.workspaces.touched)
    if (draft.workspaces.get(name)?.network !== draft.before.workspaces.get(name)?.network)
      return true
  return false
}
