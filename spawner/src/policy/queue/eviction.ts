// Who gives way when somebody waits for a place or for memory: standbys first, then what was frozen longest unused.
import type { WorkspaceName } from '@berth/shared/names'
import type { Workspace } from '../domain.ts'
import { rests, type Draft } from '../state/draft.ts'
import { stop } from '../lifecycle/transitions.ts'
import { holdsPlace, isStarting } from '../state/phases.ts'
import { exceedsQueue } from './admission.ts'
import { isGroupFull, ownLimitOf, personOf } from './limits.ts'
import { memoryOf } from '../state/tally.ts'

/** What will be free without anybody's further loss, as it is taken in thought. */
interface Room {
  places: number
  memoryBytes: number
  readonly ofTemplate: Map<string, number>
}

/** No more of them than are needed, and none where that would not help. */
export function evict(draft: Draft, settle: (name: WorkspaceName) => void): void {
  if (draft.tally.yielding === 0 || draft.queue.length === 0) return
  const yielding = inOrderOfEviction(draft)
  if (yielding.length === 0) return
  const room = usageAfterStops(draft)
  let starts = 0
  for (const name of draft.queue) {
    const { maxStarting } = draft.config.limits
    if (maxStarting > 0 && starts >= maxStarting) return
    const waiting = draft.workspaces.get(name)
    // One that was opened for nobody yet does not wait.
    if (waiting === undefined || personOf(waiting) === undefined) continue
    if (exceedsQueue(draft, name)) continue
    const own = ownLimitOf(draft, waiting)
    if (own !== undefined && own !== 'limit_template') continue
    // A place or memory is not what they wait for.
    if (isGroupFull(draft, waiting)) continue
    const chosen = choose(draft, room, waiting, yielding)
    if (chosen === undefined) {
      if (shortageOf(draft, room, waiting).template || own !== undefined) continue
      return
    }
    for (const workspace of chosen) {
      yielding.splice(yielding.indexOf(workspace), 1)
      count(draft, room, workspace, -1)
      stopEvicted(draft, workspace)
      settle(workspace.name)
    }
    count(draft, room, waiting, 1)
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

/** A standby that is being made may go as well as one that is ready. */
function isEvictable(workspace: Workspace): boolean {
  if (!holdsPlace(workspace) || workspace.phase === 'stopping') return false
  return workspace.pending === undefined || isStarting(workspace)
}

/** Nobody asked for it meanwhile, and no director may hold a lease. */
function isUnused(draft: Draft, workspace: Workspace): boolean {
  if (workspace.phase !== 'frozen' || workspace.wakeAskedAt !== undefined) return false
  return workspace.leasedUntil <= draft.now && !rests(draft, workspace)
}

function stopEvicted(draft: Draft, workspace: Workspace): void {
  const pending = workspace.pending?.step === 'pull' ? undefined : workspace.pending
  stop(draft, workspace, 'evicted', { pending })
}

/** What is on its way out leaves its place. */
function usageAfterStops(draft: Draft): Room {
  const { places, memoryBytes } = draft.tally
  const room: Room = { places, memoryBytes, ofTemplate: new Map() }
  for (const workspace of draft.workspaces.values())
    if (workspace.phase === 'stopping') count(draft, room, workspace, -1)
  return room
}

function count(draft: Draft, room: Room, { template }: Workspace, by: 1 | -1): void {
  room.places += by
  room.memoryBytes += by * memoryOf(draft.config, template)
  room.ofTemplate.set(template, (room.ofTemplate.get(template) ?? 0) + by)
}

function shortageOf(draft: Draft, room: Room, { template }: Workspace) {
  const { maxWorkspaces, maxMemoryBytes } = draft.config.limits
  const ofTemplate = draft.config.templates.get(template)?.policy.maxWorkspaces ?? 0
  const taken =
    (draft.tally.byTemplate.get(template)?.places ?? 0) + (room.ofTemplate.get(template) ?? 0)
  const needed = memoryOf(draft.config, template)
  return {
    template: ofTemplate > 0 && taken >= ofTemplate,
    place: maxWorkspaces > 0 && room.places >= maxWorkspaces,
    memory: maxMemoryBytes > 0 && needed > 0 && room.memoryBytes + needed > maxMemoryBytes,
  }
}

/** @returns which have to go for that one; `undefined`: even all of them would not help */
function choose(
  draft: Draft,
  room: Room,
  waiting: Workspace,
  yielding: readonly Workspace[],
): readonly Workspace[] | undefined {
  const without = (chosen: readonly Workspace[]) => {
    const left: Room = { ...room, ofTemplate: new Map(room.ofTemplate) }
    for (const workspace of chosen) count(draft, left, workspace, -1)
    return shortageOf(draft, left, waiting)
  }
  const isEnough = (chosen: readonly Workspace[]) => {
    const { template, place, memory } = without(chosen)
    return !template && !place && !memory
  }
  let chosen: readonly Workspace[] = []
  for (const workspace of yielding) {
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
