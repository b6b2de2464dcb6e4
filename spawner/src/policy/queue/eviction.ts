// Eviction: which workspaces are stopped when another waits for a place or for memory. Standbys first, then the frozen
// workspaces that are unused for longest.
import type { WorkspaceName } from '@berth/shared/names'
import type { Workspace } from '../domain.ts'
import { rests, type Draft } from '../state/draft.ts'
import { isFrozenByHold } from '../lifecycle/holds.ts'
import { stop } from '../lifecycle/transitions.ts'
import { holdsPlace, isStarting } from '../state/phases.ts'
import { exceedsQueue } from './admission.ts'
import { isGroupFull, ownLimitOf, personOf } from './limits.ts'
import { heldMemory, memoryOf } from '../state/tally.ts'

/** What will be in use once what is stopping has stopped; evictions are tried out on a copy. */
interface Usage {
  places: number
  memoryBytes: number
  readonly ofTemplate: Map<string, number>
}

/** Evicts no more workspaces than needed, and none where that would not help. */
export function evict(draft: Draft, settle: (name: WorkspaceName) => void): void {
  if (draft.config.house?.maintenance !== undefined) return
  if (draft.tally.yielding === 0 || draft.queue.length === 0) return
  const candidates = inOrderOfEviction(draft)
  if (candidates.length === 0) return
  const usage = usageAfterStops(draft)
  let starts = 0
  for (const name of draft.queue) {
    const { maxStarting } = draft.config.limits
    if (maxStarting > 0 && starts >= maxStarting) return
    const waiting = draft.workspaces.get(name)
    // A workspace that was opened for everybody and has nobody in it does not wait.
    if (waiting === undefined || personOf(waiting) === undefined) continue
    if (exceedsQueue(draft, name)) continue
    const own = ownLimitOf(draft, waiting)
    if (own !== undefined && own !== 'limit_template') continue
    // It does not wait for a place or memory.
    if (isGroupFull(draft, waiting)) continue
    const chosen = choose(draft, usage, waiting, candidates)
    if (chosen === undefined) {
      if (shortageOf(draft, usage, waiting).template || own !== undefined) continue
      return
    }
    for (const workspace of chosen) {
      candidates.splice(candidates.indexOf(workspace), 1)
      count(usage, workspace, -heldMemory(workspace), -1)
      stopEvicted(draft, workspace)
      settle(workspace.name)
    }
    count(usage, waiting, memoryOf(draft.config, waiting.template), 1)
    starts++
  }
}

function inOrderOfEviction(draft: Draft): Workspace[] {
  const standbys: Workspace[] = []
  const frozen: Workspace[] = []
  for (const workspace of draft.workspaces.values())
    if (workspace.kind === 'standby') {
      if (isEvictable(workspace)) standbys.push(workspace)
    } else if (draft.config.limits.evictsFrozen && isUnused(draft, workspace))
      frozen.push(workspace)
  return [...standbys, ...frozen.sort((a, b) => a.lastUseAt - b.lastUseAt)]
}

/** A standby may be evicted while it starts as well as when it is ready. */
function isEvictable(workspace: Workspace): boolean {
  if (!holdsPlace(workspace) || workspace.phase === 'stopping') return false
  return workspace.pending === undefined || isStarting(workspace)
}

/** No person has requested it meanwhile, and no director may hold a lease. */
function isUnused(draft: Draft, workspace: Workspace): boolean {
  if (workspace.phase !== 'frozen' || workspace.thawRequestedAt !== undefined) return false
  if (isFrozenByHold(workspace)) return false
  return workspace.leasedUntil <= draft.now && !rests(draft, workspace)
}

function stopEvicted(draft: Draft, workspace: Workspace): void {
  const pending = workspace.pending?.step === 'pull' ? undefined : workspace.pending
  stop(draft, workspace, 'evicted', { pending })
}

/** A workspace that is stopping will give up its place and its memory. */
function usageAfterStops(draft: Draft): Usage {
  const { places, memoryBytes } = draft.tally
  const usage: Usage = { places, memoryBytes, ofTemplate: new Map() }
  for (const workspace of draft.workspaces.values())
    if (workspace.phase === 'stopping') count(usage, workspace, -heldMemory(workspace), -1)
  return usage
}

function count(usage: Usage, { template }: Workspace, memoryBytes: number, by: 1 | -1): void {
  usage.places += by
  usage.memoryBytes += memoryBytes
  usage.ofTemplate.set(template, (usage.ofTemplate.get(template) ?? 0) + by)
}

function shortageOf(draft: Draft, usage: Usage, { template }: Workspace) {
  const { maxWorkspaces, maxMemoryBytes } = draft.config.limits
  const ofTemplate = draft.config.templates.get(template)?.policy.maxWorkspaces ?? 0
  const taken =
    (draft.tally.byTemplate.get(template)?.places ?? 0) + (usage.ofTemplate.get(template) ?? 0)
  const needed = memoryOf(draft.config, template)
  return {
    template: ofTemplate > 0 && taken >= ofTemplate,
    place: maxWorkspaces > 0 && usage.places >= maxWorkspaces,
    memory: maxMemoryBytes > 0 && needed > 0 && usage.memoryBytes + needed > maxMemoryBytes,
  }
}

/** @returns which workspaces to evict for `waiting`; `undefined`: even all of them would not help */
function choose(
  draft: Draft,
  usage: Usage,
  waiting: Workspace,
  candidates: readonly Workspace[],
): readonly Workspace[] | undefined {
  const without = (chosen: readonly Workspace[]) => {
    const left: Usage = { ...usage, ofTemplate: new Map(usage.ofTemplate) }
    for (const workspace of chosen) count(left, workspace, -heldMemory(workspace), -1)
    return shortageOf(draft, left, waiting)
  }
  const isEnough = (chosen: readonly Workspace[]) => {
    const { template, place, memory } = without(chosen)
    return !template && !place && !memory
  }
  let chosen: readonly Workspace[] = []
  for (const workspace of candidates) {
    if (isEnough(chosen)) break
    const isOfUse = !without(chosen).template || workspace.template === waiting.template
    if (isOfUse) chosen = [...chosen, workspace]
  }
  if (!isEnough(chosen)) return undefined
  for (const workspace of chosen) {
    const fewer = chosen.filter((other) => other !== workspace)
    if (isEnough(fewer)) chosen = fewer
  }
  return chosen
}
