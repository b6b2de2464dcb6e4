// Seats: who has one where, giving and taking them, and which workspace still takes somebody new.
import type { Person } from '@berth/shared/contract'
import { workspaceName, type UserName, type WorkspaceName } from '@berth/shared/names'
import type { DirectorId, PolicyConfig, Seat, State, Workspace } from '../domain.ts'
import { change, type Draft } from '../state/draft.ts'
import { drainsAt, policyOf } from '../state/deadlines.ts'
import { holdsPlace } from '../state/phases.ts'
import { isShared, type Template } from '../../templates/template.ts'

/** What is needed to find a seat; a draft has it as well as a state. */
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

/** A person keeps the seat they have. */
export function giveSeat(draft: Draft, workspace: Workspace, person: Person): Workspace {
  const known = seatIn(workspace, person.name)
  if (known !== undefined) return changeSeat(draft, workspace, person.name, { person })
  const seat = newSeat(person, draft.nextTicket++, draft.now)
  return addSeat(draft, workspace, seat)
}

/** The owner of a private one has its only seat. */
export function giveOwnerSeat(draft: Draft, workspace: Workspace): Workspace {
  const { kind, owner, seats } = workspace
  if (kind !== 'private' || owner === undefined || seats.length > 0) return workspace
  return giveSeat(draft, workspace, owner)
}

export function addSeat(draft: Draft, workspace: Workspace, seat: Seat): Workspace {
  // As long as there is no container, those who wait are all whom it will have served.
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

/** The seat that a person has in some workspace which is shared by people of that template. */
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

/** The name of a person's own, whether or not it exists. One that began under another prefix keeps its name. */
export function ownName(known: SeatTable, user: UserName, template: Template): WorkspaceName {
  const name = workspaceName(template.prefix, user)
  for (const other of known.tally.byPerson.get(user) ?? []) {
    const workspace = known.workspaces.get(other)
    if (workspace?.kind !== 'private' || workspace.template !== template.name) continue
    if (holdsPlace(workspace) || workspace.phase === 'queued') return other
  }
  return name
}

/** The workspace of a person: a private one by its name, whether or not it exists, a shared one by their seat. */
export function seatOf(
  state: State,
  person: Person,
  templateName: string,
): WorkspaceName | undefined {
  const template = state.config.templates.get(templateName)
  if (template === undefined) return undefined
  if (!isShared(template)) return ownName(state, person.name, template)
  return sharedSeatOf(state, person.name, templateName)?.name
}

/** How many it has served, those who wait for it included. */
function servedBy({ container, served, seats }: Workspace): number {
  return container === undefined ? seats.length : served
}

/** It takes nobody new any more, and goes when the last has left. */
export function isSpent(config: PolicyConfig, workspace: Workspace, now: number): boolean {
  const { seatsTotal } = policyOf(config, workspace)
  if (workspace.kind === 'standby') return false
  if (seatsTotal > 0 && servedBy(workspace) >= seatsTotal) return true
  return drainsAt(config, workspace) <= now
}

/** Whether somebody may join those who share it. One that was opened for anybody of a private template has no end. */
export function hasFreeSeat(config: PolicyConfig, workspace: Workspace, now: number): boolean {
  if (workspace.kind !== 'shared' || isSpent(config, workspace, now)) return false
  const { seats } = policyOf(config, workspace)
  return seats <= 1 || workspace.seats.length < seats
}
