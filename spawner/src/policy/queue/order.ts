// The order of the queue: workspaces of people who have none yet come first, then by ticket. So the second request of
// one person never overtakes the first request of another.
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { Workspace } from '../domain.ts'
import type { Draft } from '../state/draft.ts'
import { holdsPlace } from '../state/phases.ts'
import { haveSamePeople, peopleOf } from '../state/tally.ts'
import { changedWorkspaces } from '../state/changes.ts'

/** A state has these facts, and a draft too. */
export interface QueueFacts {
  readonly queue: readonly WorkspaceName[]
  readonly workspaces: { get(name: WorkspaceName): Workspace | undefined }
  readonly tally: {
    readonly byPerson: { get(user: UserName): readonly WorkspaceName[] | undefined }
  }
}

/** How many workspaces its people have, or will have before it. Of several people, the one with the fewest counts. */
function rankOf(known: QueueFacts, workspace: Workspace): number {
  let least = Number.POSITIVE_INFINITY
  for (const user of peopleOf(workspace)) {
    const before = countBefore(known, user, workspace)
    if (before === 0) return 0
    least = Math.min(least, before)
  }
  return Number.isFinite(least) ? least : 0
}

function countBefore(known: QueueFacts, user: UserName, workspace: Workspace): number {
  let count = 0
  for (const name of known.tally.byPerson.get(user) ?? []) {
    const other = name === workspace.name ? undefined : known.workspaces.get(name)
    if (other === undefined) continue
    if (holdsPlace(other) || (other.phase === 'queued' && other.ticket < workspace.ticket)) count++
  }
  return count
}

/** How many workspaces of the queue come before it. */
function placeOf(known: QueueFacts, queue: readonly WorkspaceName[], workspace: Workspace): number {
  const rank = rankOf(known, workspace)
  let low = 0
  let high = queue.length
  while (low < high) {
    const middle = (low + high) >> 1
    const other = known.workspaces.get(queue[middle] ?? workspace.name)
    if (other !== undefined && comesBefore(known, other, rank, workspace.ticket)) low = middle + 1
    else high = middle
  }
  return low
}

function comesBefore(known: QueueFacts, other: Workspace, rank: number, ticket: number): boolean {
  const its = rankOf(known, other)
  return its < rank || (its === rank && other.ticket < ticket)
}

/** From 1; `undefined`: it is not in the queue. */
export function positionOf(known: QueueFacts, workspace: Workspace): number | undefined {
  if (workspace.phase !== 'queued') return undefined
  const at = placeOf(known, known.queue, workspace)
  if (known.queue[at] === workspace.name) return at + 1
  const found = known.queue.indexOf(workspace.name)
  return found < 0 ? undefined : found + 1
}

/** Sorts all of them. For few changes in a long queue `orderQueue` is quicker. */
export function inOrder(
  known: QueueFacts,
  waiting: readonly Workspace[],
): readonly WorkspaceName[] {
  return waiting
    .map(({ name, ticket }, at) => ({
      name,
      ticket,
      rank: rankOf(known, waiting[at] as Workspace),
    }))
    .sort((a, b) => a.rank - b.rank || a.ticket - b.ticket)
    .map(({ name }) => name)
}

/** More moves than that are sorted instead of inserted one by one. */
const fewMoves = 20

/** Brings the queue up to date with what was touched. @returns whether any position may have changed */
export function orderQueue(draft: Draft): boolean {
  // After the first call in a decision, the state before it no longer says which workspaces are in the queue.
  const isFirst = draft.queue === draft.before.queue
  const moved = new Set([...movedIn(draft), ...(isFirst ? [] : changedWorkspaces(draft))])
  if (moved.size === 0) return false
  const queue = moved.size > fewMoves ? sorted(draft, moved) : putIn(draft, moved)
  const isSame =
    queue.length === draft.queue.length && queue.every((name, at) => name === draft.queue[at])
  if (!isSame) draft.queue = queue
  return true
}

/** Workspaces that entered or left the queue or whose people changed, and what else these people wait for. */
function movedIn(draft: Draft): ReadonlySet<WorkspaceName> {
  const moved = new Set<WorkspaceName>()
  for (const name of changedWorkspaces(draft)) {
    const before = draft.before.workspaces.get(name)
    const after = draft.workspaces.get(name)
    if (isSameForOrder(before, after)) continue
    if (before?.phase === 'queued' || after?.phase === 'queued') moved.add(name)
    for (const user of [...peopleOf(before), ...peopleOf(after)])
      for (const other of draft.tally.byPerson.get(user) ?? [])
        if (draft.workspaces.get(other)?.phase === 'queued') moved.add(other)
  }
  return moved
}

function isSameForOrder(before: Workspace | undefined, after: Workspace | undefined): boolean {
  if (before === undefined || after === undefined) return before === after
  const [was, is] = [before.phase === 'queued', after.phase === 'queued']
  if (was !== is || holdsPlace(before) !== holdsPlace(after)) return false
  if (is && before.ticket !== after.ticket) return false
  return haveSamePeople(before, after)
}

function sorted(draft: Draft, moved: ReadonlySet<WorkspaceName>): readonly WorkspaceName[] {
  const waiting: Workspace[] = []
  for (const name of new Set([...draft.queue, ...moved])) {
    const workspace = draft.workspaces.get(name)
    if (workspace?.phase === 'queued') waiting.push(workspace)
  }
  return inOrder(draft, waiting)
}

function putIn(draft: Draft, moved: ReadonlySet<WorkspaceName>): readonly WorkspaceName[] {
  const isIn = (name: WorkspaceName) => draft.before.workspaces.get(name)?.phase === 'queued'
  const isNews = draft.queue === draft.before.queue && ![...moved].some(isIn)
  const queue = isNews ? [...draft.queue] : draft.queue.filter((name) => !moved.has(name))
  const waiting = [...moved]
    .map((name) => draft.workspaces.get(name))
    .filter((workspace) => workspace?.phase === 'queued')
  for (const workspace of waiting)
    if (workspace !== undefined) queue.splice(placeOf(draft, queue, workspace), 0, workspace.name)
  return queue
}
