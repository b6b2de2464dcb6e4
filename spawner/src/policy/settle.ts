// Derives from the state what has to be done and is not under way. Knows no events: deciding twice orders nothing twice.
import type { WorkspaceName } from '@berth/shared/names'
import { introduceDirectors } from './observed/directors.ts'
import { drop, type Draft } from './state/draft.ts'
import type { Workspace } from './domain.ts'
import { expireCancels } from './asked/cancels.ts'
import { claimStandbys } from './standby/claim.ts'
import { absentAt, forgetAt } from './state/deadlines.ts'
import { leaveQueue } from './lifecycle/transitions.ts'
import { evict } from './queue/eviction.ts'
import { orderQueue } from './queue/order.ts'
import { planNetworks } from './networks.ts'
import { admit } from './queue/admission.ts'
import { settleName } from './lifecycle/rename.ts'
import { endDueSeats } from './seats/seat-ends.ts'
import { isOfFormerKind } from './seats/seat-table.ts'
import { moveSeats } from './seats/shared-workspaces.ts'
import { settleFrozen } from './lifecycle/settle-frozen.ts'
import { settleReady } from './lifecycle/settle-ready.ts'
import { settleProbing, settleStart } from './lifecycle/settle-starts.ts'
import { endStandbys, refillStandbys, clearEndedStandby } from './standby/standby.ts'
import { evictForNetworks, settleStopped, settleStopping } from './lifecycle/teardown.ts'
import { areNetworksChanged, concernedWorkspaces } from './state/changes.ts'

/** Where nothing is due and nothing changed that concerns all, only what the event touched is looked at. */
export function settle(draft: Draft): void {
  const isWhole = draft.concernsAll || draft.before.dueAt <= draft.now
  draft.concernsAll = isWhole
  if (isWhole) expireCancels(draft)
  if (draft.reconciledAt !== undefined) {
    for (const name of concernedWorkspaces(draft)) settleWorkspace(draft, name)
    const settleOne = (name: WorkspaceName) => settleWorkspace(draft, name)
    endStandbys(draft, settleOne)
    moveSeats(draft, settleOne)
    claimStandbys(draft)
    settleQueue(draft)
    refillStandbys(draft, settleOne)
    if (draft.tally.starting > 0 || draft.before.tally.starting > 0) draft.lastStartAt = draft.now
    if (isWhole || areNetworksChanged(draft)) planNetworks(draft)
  }
  if (isWhole && (draft.reconciledAt !== undefined || !draft.engine.reachable))
    introduceDirectors(draft)
}

function settleQueue(draft: Draft): void {
  const settleOne = (name: WorkspaceName) => settleWorkspace(draft, name)
  const withoutNetwork = admit(draft, settleOne)
  if (withoutNetwork === undefined) return
  // One that has a place now may have room for those who wait elsewhere.
  if (moveSeats(draft, settleOne)) return settleQueue(draft)
  const { places, starting } = draft.tally
  evict(draft, settleOne)
  // What was still on its way up is no start any more, and gone at once where nothing of it was there.
  if (draft.tally.places < places || draft.tally.starting < starting) admit(draft, settleOne)
  // An eviction takes seats, and a person who has nothing any more comes before those who have something.
  else orderQueue(draft)
  if (withoutNetwork > 0) evictForNetworks(draft, withoutNetwork)
}

/** From phase to phase, until something has to be waited for. */
function settleWorkspace(draft: Draft, name: WorkspaceName): void {
  for (;;) {
    const workspace = draft.workspaces.get(name)
    if (workspace === undefined) return
    if (workspace.kind !== 'standby' || !clearEndedStandby(draft, workspace))
      endDueSeats(draft, workspace)
    const seated = draft.workspaces.get(name)
    if (seated?.phase === workspace.phase) settlePhase(draft, seated)
    const settled = draft.workspaces.get(name)
    if (settled === undefined) return
    settleName(draft, settled)
    if (settled.phase === workspace.phase) return
  }
}

function settlePhase(draft: Draft, workspace: Workspace): void {
  switch (workspace.phase) {
    case 'queued':
      // Its people get one of the present kind when they ask again, as a page and a held request do.
      if (isOfFormerKind(draft.config, workspace)) return leaveQueue(draft, workspace)
      if (absentAt(draft.config, workspace) <= draft.now) leaveQueue(draft, workspace)
      return
    case 'pulling':
    case 'creating':
    case 'starting':
      return settleStart(draft, workspace)
    case 'probing':
      return settleProbing(draft, workspace)
    case 'ready':
      return settleReady(draft, workspace)
    case 'frozen':
      return settleFrozen(draft, workspace)
    case 'stopping':
      return settleStopping(draft, workspace)
    case 'stopped':
      return settleStopped(draft, workspace)
    case 'failed':
      if (forgetAt(draft.config, workspace) <= draft.now) drop(draft, workspace)
  }
}
