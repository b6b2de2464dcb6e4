// Seats: who has one in which workspace, adding and removing them, and which workspace still takes a new person.
import type { Person } from '@berth/shared/contract'
import { isOpenName, workspaceName, type UserName, type WorkspaceName } from '@berth/shared/names'
import type { DirectorId, PolicyConfig, Seat, State, Workspace } from '../domain.ts'
import { change, type Draft } from '../state/draft.ts'
import { drainsAt, policyOf } from '../state/deadlines.ts'
import { holdsPlace } from '../state/phases.ts'
import { isShared, type Template } from '../../templates/template.ts'

/** What is needed to find a seat. A state has it, and a draft too. */
export interface SeatTable {
  readonly workspaces: { get(name: WorkspaceName): Workspace | undefined }
  readonly tally: {
    readonly byPerson: { get(user: UserName): readonly WorkspaceName[] | undefined }
  }
}

export function newSeat(person: Person, ticket: number, now: number): Seat {
  return {
    person,
    ticket,
    since: now,
    lastUseAt: now,
    seenAt: now,
    leasedUntil: Number.NEGATIVE_INFINITY,
    connections: new Map<DirectorId, number>(),
  }
}

export function seatIn({ seats }: Workspace, user: UserName): Seat | undefined {
  return seats.find(({ person }) => person.name === user)
}

/** A person who has a seat keeps it. */
export function giveSeat(draft: Draft, workspace: Workspace, person: Person): Workspace {
  const known = seatIn(workspace, person.name)
  if (known !== undefined) return changeSeat(draft, workspace, person.name, { person })
  const seat = newSeat(person, draft.nextTicket++, draft.now)
  return addSeat(draft, workspace, seat)
}

/** The owner of a private workspace has its only seat. */
export function giveOwnerSeat(draft: Draft, workspace: Workspace): Workspace {
  const { kind, owner, seats } = workspace
  if (kind !== 'private' || owner === undefined || seats.length > 0) return workspace
  return giveSeat(draft, workspace, owner)
}

export function addSeat(draft: Draft, workspace: Workspace, seat: Seat): Workspace {
  // Without a container it has served nobody yet: `servedBy` counts the people who wait.
  const served = workspace.container === undefined ? workspace.served : workspace.served + 1
  return change(draft, workspace, { seats: [...workspace.seats, seat], served })
}

export function changeSeat(
  draft: Draft,
  workspace: Workspace,
  user: UserName,
  patch: Partial<Seat>,
  rest: Partial<Workspace> = {},
): Workspace {
  const seats = workspace.seats.map((seat) =>
    seat.person.name === user ? { ...seat, ...patch } : seat,
  )
  return change(draft, workspace, { ...rest, seats })
}

export function removeSeat(draft: Draft, workspace: Workspace, user: UserName): Workspace {
  const seats = workspace.seats.filter(({ person }) => person.name !== user)
  return change(draft, workspace, { seats })
}

/** The shared workspace of that template in which the person has a seat. */
export function sharedSeatOf(
  known: SeatTable,
  user: UserName,
  template: string,
): Workspace | undefined {
  for (const name of known.tally.byPerson.get(user) ?? []) {
    const workspace = known.workspaces.get(name)
    if (workspace?.kind === 'shared' && workspace.template === template) return workspace
  }
  return undefined
}

/** The name of the person's own workspace, whether or not it exists. One that was created under another prefix keeps its
 * name. Of two, which only a template that was renamed can have, the person has the one that was used last. */
export function ownName(known: SeatTable, user: UserName, template: Template): WorkspaceName {
  let own: Workspace | undefined
  for (const name of known.tally.byPerson.get(user) ?? []) {
    const workspace = known.workspaces.get(name)
    if (workspace?.kind !== 'private' || workspace.template !== template.name) continue
    if (!holdsPlace(workspace) && workspace.phase !== 'queued') continue
    if (own === undefined || workspace.lastUseAt >= own.lastUseAt) own = workspace
  }
  return own?.name ?? workspaceName(template.prefix, user)
}

/**
 * Whether the workspace is of the kind that its template had before: private, and the template has several seats by now,
 * or the other way round. People keep it until it ends, and nobody new gets a seat in it.
 */
export function isOfFormerKind(
  { templates }: PolicyConfig,
  { name, kind, template: of }: Pick<Workspace, 'name' | 'kind' | 'template'>,
): boolean {
  const template = templates.get(of)
  if (template === undefined || kind === 'standby') return false
  if (isShared(template)) return kind === 'private'
  return kind === 'shared' && !isOpenName(name)
}

/** The workspace of the former kind that the person still has. One that is being stopped does not come back. */
function formerSeatOf(
  known: SeatTable & Pick<State, 'config'>,
  user: UserName,
  template: string,
): Workspace | undefined {
  for (const name of known.tally.byPerson.get(user) ?? []) {
    const workspace = known.workspaces.get(name)
    if (workspace?.template !== template || workspace.phase === 'stopping') continue
    if (holdsPlace(workspace) && isOfFormerKind(known.config, workspace)) return workspace
  }
  return undefined
}

export interface Place {
  readonly name: WorkspaceName | undefined
  readonly isShared: boolean
}

/** The workspace of a person: a private one by its name, whether or not it exists; a shared one by the person's seat. */
export function placeOf(
  known: SeatTable & Pick<State, 'config'>,
  user: UserName,
  template: Template,
): Place {
  const former = formerSeatOf(known, user, template.name)
  if (former !== undefined) return { name: former.name, isShared: former.kind === 'shared' }
  if (!isShared(template)) return { name: ownName(known, user, template), isShared: false }
  return { name: sharedSeatOf(known, user, template.name)?.name, isShared: true }
}

export function seatOf(
  state: State,
  person: Person,
  templateName: string,
): WorkspaceName | undefined {
  const template = state.config.templates.get(templateName)
  return template && placeOf(state, person.name, template).name
}

/** How many people it has served, including those who wait for it. */
function servedBy({ container, served, seats }: Workspace): number {
  return container === undefined ? seats.length : served
}

/** It takes no new person any more, and is stopped when the last one has left. */
export function isSpent(config: PolicyConfig, workspace: Workspace, now: number): boolean {
  const { seatsTotal } = policyOf(config, workspace)
  if (workspace.kind === 'standby') return false
  if (seatsTotal > 0 && servedBy(workspace) >= seatsTotal) return true
  return drainsAt(config, workspace) <= now
}

/** Whether one more person may join. A workspace of a private template that was opened for everybody has no limit. */
export function hasFreeSeat(config: PolicyConfig, workspace: Workspace, now: number): boolean {
  if (workspace.kind !== 'shared' || isSpent(config, workspace, now)) return false
  if (isOfFormerKind(config, workspace)) return false
  const { seats } = policyOf(config, workspace)
  return seats <= 1 || workspace.seats.length < seats
}
