// Gives free places to the queue. A workspace that waits for a limit of its own (person, template) holds up no other;
// where a limit is common to all, none is overtaken.
import type { WorkspaceName } from '@berth/shared/names'
import type { Workspace } from '../domain.ts'
import { enter, type Draft } from '../state/draft.ts'
import { isQueueTooLong } from '../asked/access.ts'
import { failures } from '../lifecycle/failures.ts'
import { orderQueue } from './order.ts'
import { assignNetwork, egressOf, networkOf } from '../networks.ts'
import { isOutdated } from '../lifecycle/outdated.ts'
import { holdsPlace } from '../state/phases.ts'
import { commonLimitOf, ownLimitOf } from './limits.ts'
import { isCountTouched, memoryOf } from '../state/tally.ts'
import { changedNetworks, changedWorkspaces } from '../state/changes.ts'

/** @returns how many more workspaces would have a place if there were networks for them; `undefined`: nothing changed
 * that the queue depends on */
export function admit(draft: Draft, start: (name: WorkspaceName) => void): number | undefined {
  const isMoved = orderQueue(draft)
  if (draft.queue.length === 0 || !draft.engine.reachable) return undefined
  if (!isMoved && !draft.concernsAll && !isCapacityTouched(draft)) return undefined
  let withoutNetwork = 0
  let admitted = 0
  // Egresses without a free network: the next workspace that needs a new one finds none either.
  const without = new Set<string>()
  for (const name of draft.queue) {
    const workspace = draft.workspaces.get(name)
    if (workspace?.phase !== 'queued') continue
    // No more workspaces without a network are counted than there are free places.
    if (withoutNetwork >= placesLeft(draft) && lacksNetwork(draft, workspace, without)) continue
    if (ownLimitOf(draft, workspace) !== undefined) continue
    if (commonLimitOf(draft, workspace) !== undefined) break
    const placed = takePlace(draft, workspace, without)
    if (placed.phase === 'queued') withoutNetwork++
    else admitted++
    if (holdsPlace(placed)) start(name)
  }
  if (admitted > 0) orderQueue(draft)
  return Math.min(withoutNetwork, placesLeft(draft))
}

function placesLeft({ config, tally }: Draft): number {
  const { maxWorkspaces } = config.limits
  return maxWorkspaces === 0 ? Number.POSITIVE_INFINITY : Math.max(0, maxWorkspaces - tally.places)
}

/** The workspace makes the queue too long. One that was in the queue before this decision does not. */
export function exceedsQueue(draft: Draft, name: WorkspaceName): boolean {
  // The queue of before a restart is restored as it was.
  if (draft.before.reconciledAt === undefined) return false
  const before = draft.before.workspaces.get(name)?.phase
  return before !== 'queued' && before !== 'stopping' && isQueueTooLong(draft)
}

function isCapacityTouched(draft: Draft): boolean {
  if (changedNetworks(draft).size > 0) return true
  if (isCountTouched(draft.tally, draft.before.tally)) return true
  for (const name of changedWorkspaces(draft))
    if (hasComeToRest(draft, name) || hasChangedTemplate(draft, name)) return true
  return false
}

/** The workspace counts against the limit of another template from now on: its own was given another name. */
function hasChangedTemplate({ before, workspaces }: Draft, name: WorkspaceName): boolean {
  const former = before.workspaces.get(name)
  const present = workspaces.get(name)
  return former !== undefined && present !== undefined && former.template !== present.template
}

/** The workspace ended during a step whose result has come by now, so its network can be reused. */
function hasComeToRest({ before, workspaces }: Draft, name: WorkspaceName): boolean {
  const workspace = workspaces.get(name)
  if (workspace?.phase !== 'stopped' || workspace.pending !== undefined) return false
  return before.workspaces.get(name)?.pending !== undefined
}

/** Without a free network the workspace stays in the queue, and does not hold up those that have one. */
function takePlace(draft: Draft, workspace: Workspace, without: Set<string>): Workspace {
  if (workspace.container === undefined && draft.foreignNames.has(workspace.name)) {
    const none = { failure: failures.nameTaken, network: undefined }
    return enter(draft, workspace, 'failed', none)
  }
  const reservedBytes = memoryOf(draft.config, workspace.template)
  if (canStartAgain(draft, workspace))
    return enter(draft, { ...workspace, reservedBytes }, 'starting')
  if (lacksNetwork(draft, workspace, without)) return workspace
  const network = assignNetwork(draft, workspace)
  if (network === undefined) {
    without.add(egressOf(draft, workspace))
    return workspace
  }
  return enter(draft, { ...workspace, network: network.index, reservedBytes }, 'pulling')
}

function lacksNetwork(draft: Draft, workspace: Workspace, without: ReadonlySet<string>): boolean {
  if (without.size === 0 || networkOf(draft, workspace) !== undefined) return false
  return without.has(egressOf(draft, workspace))
}

/** The stopped container is still what would be created now. */
function canStartAgain(draft: Draft, workspace: Workspace): boolean {
  if (workspace.container?.status !== 'exited' || workspace.pending !== undefined) return false
  if (networkOf(draft, workspace)?.status !== 'up') return false
  return draft.config.templates.has(workspace.template) && !isOutdated(draft, workspace)
}
