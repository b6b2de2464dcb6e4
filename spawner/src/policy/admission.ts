// Who is let in: access, identity, limits, and the queue in the order of asking.
import type { Person } from '@berth/shared/contract'
import { workspaceName, type WorkspaceName } from '@berth/shared/names'
import { change, enter, type Draft } from './draft.ts'
import type { Failure, State, Workspace } from './domain.ts'
import { failures } from './failures.ts'
import { countsAsStarting, holdsPlace } from './phases.ts'
import { claimNetwork, networkOf } from './networks.ts'
import type { Template } from '../templates/template.ts'

/** What admission needs to know; a draft has it as well as a state. */
type Known = Pick<State, 'config' | 'subjects' | 'foreignNames' | 'queue'> & {
  readonly workspaces: {
    get(name: WorkspaceName): Workspace | undefined
    values(): Iterable<Workspace>
  }
}

export interface Refusal {
  readonly failure: Failure
  readonly limit?: number
}

export type Claim =
  | { readonly ok: true; readonly template: Template; readonly name: WorkspaceName }
  | { readonly ok: false; readonly refusal: Refusal }

/** Whether this person may have a workspace of that template at all. */
export function claimOf(known: Known, person: Person, templateName: string): Claim {
  const template = known.config.templates.get(templateName)
  if (template === undefined) return refused(failures.templateUnknown)
  if (!isAllowed(template, person)) return refused(failures.forbidden)
  const name = workspaceName(template.prefix, person.name)
  const subject = known.workspaces.get(name)?.owner?.subject ?? known.subjects.get(person.name)
  if (subject !== undefined && subject !== person.subject) return refused(failures.identityReused)
  return { ok: true, template, name }
}

const refused = (failure: Failure): Claim => ({ ok: false, refusal: { failure } })

function isAllowed(template: Template, person: Person): boolean {
  const { allowedUsers, allowedGroups } = template.policy
  if (allowedUsers.length === 0 && allowedGroups.length === 0) return true
  if (allowedUsers.includes(person.name)) return true
  return person.groups.some((group) => allowedGroups.includes(group))
}

/** Why a start that this person asks for now would not even be queued. */
export function startRefusal(
  known: Known,
  person: Person,
  name: WorkspaceName,
): Refusal | undefined {
  const workspace = known.workspaces.get(name)
  if (workspace?.container === undefined && known.foreignNames.has(name))
    return { failure: failures.nameTaken }
  const { maxWorkspacesPerUser: limit } = known.config.limits
  if (limit > 0 && othersOf(known, person, name) >= limit)
    return { failure: failures.userLimit, limit }
  return undefined
}

export function isQueueOver(known: Known): boolean {
  const { maxQueue } = known.config.limits
  return maxQueue > 0 && known.queue.length > maxQueue
}

function othersOf(known: Known, person: Person, name: WorkspaceName): number {
  let count = 0
  for (const other of known.workspaces.values())
    if (other.name !== name && other.owner?.name === person.name)
      if (holdsPlace(other) || other.phase === 'queued') count++
  return count
}

/**
 * Gives the places there are to those who wait, first come first served.
 *
 * @returns how many had a place but no network
 */
export function admit(draft: Draft, start: (name: WorkspaceName) => void): number {
  const waiting = inOrder(draft)
  const cramped = draft.engine.reachable ? admitFrom(draft, waiting, start) : 0
  rememberQueue(draft, waiting)
  return cramped
}

function inOrder(draft: Draft): Workspace[] {
  const waiting: Workspace[] = []
  for (const name of new Set([...draft.queue, ...draft.workspaces.touched])) {
    const workspace = draft.workspaces.get(name)
    if (workspace?.phase === 'queued') waiting.push(workspace)
  }
  return waiting.sort((a, b) => a.turn - b.turn)
}

function admitFrom(
  draft: Draft,
  waiting: readonly Workspace[],
  start: (name: WorkspaceName) => void,
): number {
  if (waiting.length === 0) return 0
  const { maxWorkspaces, maxStarting } = draft.config.limits
  const taken = countPlaces(draft)
  let cramped = 0
  for (const workspace of waiting) {
    if (maxWorkspaces > 0 && taken.places >= maxWorkspaces) return cramped
    if (maxStarting > 0 && taken.starting >= maxStarting) return cramped
    if (isOverOwnLimit(draft, taken.byUser, workspace)) continue
    takePlace(draft, workspace)
    const placed = draft.workspaces.get(workspace.name)
    if (placed === undefined || !holdsPlace(placed)) {
      if (placed?.phase === 'queued') cramped++
      continue
    }
    taken.places++
    taken.starting++
    countFor(taken.byUser, workspace)
    start(placed.name)
  }
  return cramped
}

function countPlaces(draft: Draft) {
  const byUser = new Map<string, number>()
  let places = 0
  let starting = 0
  for (const workspace of draft.workspaces.values()) {
    if (!holdsPlace(workspace)) continue
    places++
    if (countsAsStarting(workspace)) starting++
    countFor(byUser, workspace)
  }
  return { places, starting, byUser }
}

function countFor(byUser: Map<string, number>, { owner }: Workspace): void {
  if (owner !== undefined) byUser.set(owner.name, (byUser.get(owner.name) ?? 0) + 1)
}

function isOverOwnLimit(
  draft: Draft,
  byUser: ReadonlyMap<string, number>,
  workspace: Workspace,
): boolean {
  const { maxWorkspacesPerUser } = draft.config.limits
  if (maxWorkspacesPerUser === 0 || workspace.owner === undefined) return false
  return (byUser.get(workspace.owner.name) ?? 0) >= maxWorkspacesPerUser
}

/** Without a network to be had it goes on waiting, and holds nobody up who has one. */
function takePlace(draft: Draft, workspace: Workspace): void {
  if (workspace.container === undefined && draft.foreignNames.has(workspace.name)) {
    enter(draft, workspace, 'failed', { failure: failures.nameTaken, network: undefined })
    return
  }
  if (canStartAgain(draft, workspace)) {
    enter(draft, workspace, 'starting')
    return
  }
  const network = claimNetwork(draft, workspace)
  if (network === undefined) return
  enter(draft, change(draft, workspace, { network: network.index }), 'pulling')
}

/** Its stopped container is still what would be made now. */
function canStartAgain(draft: Draft, workspace: Workspace): boolean {
  const { container, owner } = workspace
  if (container?.status !== 'exited' || workspace.pending !== undefined) return false
  if (networkOf(draft, workspace)?.status !== 'up') return false
  const template = draft.config.templates.get(workspace.template)
  return template !== undefined && draft.config.specOf(template, owner) === container.spec
}

function rememberQueue(draft: Draft, waiting: readonly Workspace[]): void {
  const queue: WorkspaceName[] = []
  for (const { name } of waiting)
    if (draft.workspaces.get(name)?.phase === 'queued') queue.push(name)
  const same =
    queue.length === draft.queue.length && queue.every((name, at) => name === draft.queue[at])
  if (!same) draft.queue = queue
}
