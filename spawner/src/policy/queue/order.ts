// The order of the queue: those whose people have nothing yet come first, then in the order of asking. So one
// person's second request never overtakes another's first.
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { Workspace } from '../domain.ts'
import type { Draft } from '../state/draft.ts'
import { holdsPlace } from '../state/phases.ts'
import { haveSamePeople, peopleOf } from '../state/tally.ts'

/** What is needed to tell who comes first; a draft has it as well as a state. */
export interface QueueFacts {
  readonly queue: readonly WorkspaceName[]
  readonly workspaces: { get(name: WorkspaceName): Workspace | undefined }
  readonly tally: {
    readonly byPerson: { get(user: UserName): readonly WorkspaceName[] | undefined }
  }
}

/** How many workspaces its people have, or will have before it; of several people, those who have least. */
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

/** How many of the queue come before it. */
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

/** From 1; `undefined`: it does not wait. */
export function positionOf(known: QueueFacts, workspace: Workspace): number | undefined {
  if (workspace.phase !== 'queued') return undefined
  const at = placeOf(known, known.queue, workspace)
  if (known.queue[at] === workspace.name) return at + 1
  const found = known.queue.indexOf(workspace.name)
  return found < 0 ? undefined : found + 1
}

/** All who wait, as they come; for few changes in a long queue `orderQueue` is quicker. */
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

/** More than that are sorted rather than put in one by one. */
const fewMoves = 20

/** Brings the queue up to date with what was touched. @returns whether somebody may have another place in it */
export function orderQueue(draft: Draft): boolean {
  // Once it was brought up to date in this decision, the state before says no longer who is in it.
  const isFirst = draft.queue === draft.before.queue
  const moved = new Set([...movedIn(draft), ...(isFirst ? [] : draft.workspaces.touched)])
  if (moved.size === 0) return false
  const queue = moved.size > fewMoves ? sorted(draft, moved) : putIn(draft, moved)
  const isSame =
    queue.length === draft.queue.length && queue.every((name, at) => name === draft.queue[at])
  if (!isSame) draft.queue = queue
  return true
}

/** Those who came, left or had people come or leave, and what else these people wait for. */
function movedIn(draft: Draft): ReadonlySet<WorkspaceName> {
  const moved = new Set<WorkspaceName>()
  for (const name of draft.workspaces.touched) {
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
