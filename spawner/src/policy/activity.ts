// Reports of use: what was used counts, and what is still in use keeps its lease.
import type { WorkspaceName } from '@berth/shared/names'
import { change, type Draft } from './draft.ts'
import type { Event, Workspace } from './domain.ts'
import { idleAt, leaseSpan } from './due.ts'
import { isFreezing } from './freezing.ts'
import { networkOf } from './networks.ts'

type Report = Extract<Event, { type: 'activity-reported' }>
type Lease = { readonly workspace: WorkspaceName; readonly leaseMs: number }

/** @returns the answer, to be called once the rest of the decision stands */
export function reportActivity(draft: Draft, report: Report): () => readonly Lease[] {
  for (const seat of report.seats) {
    const workspace = ownedBy(draft, seat)
    if (workspace === undefined) continue
    const usedAt = draft.now - Math.max(0, seat.lastUseAgoMs)
    if (usedAt > workspace.lastUseAt) change(draft, workspace, { lastUseAt: usedAt })
  }
  return () => report.seats.flatMap((seat) => renew(draft, ownedBy(draft, seat)))
}

function ownedBy(draft: Draft, seat: Report['seats'][number]): Workspace | undefined {
  const workspace = draft.workspaces.get(seat.workspace)
  return workspace?.owner?.name === seat.user ? workspace : undefined
}

function renew(draft: Draft, workspace: Workspace | undefined): Lease[] {
  if (workspace?.phase !== 'ready' || isFreezing(workspace)) return []
  if (idleAt(draft.config, workspace) <= draft.now) return []
  if (networkOf(draft, workspace) === undefined) return []
  change(draft, workspace, { leasedUntil: draft.now + leaseSpan(draft.config) })
  return [{ workspace: workspace.name, leaseMs: draft.config.lease.leaseMs }]
}
