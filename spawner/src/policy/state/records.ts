// What the store keeps of a workspace, and what a decision changes of that. Labels tell the rest.
import type { Person } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import { changedHomes } from '../homes.ts'
import type { RecordChanges, RecordedSeat, State, Workspace, WorkspaceRecord } from '../domain.ts'
import { isFrozenByHold } from '../lifecycle/holds.ts'

/** @returns `undefined` for one of which labels tell everything, or nothing is left to tell */
export function recordOf(workspace: Workspace): WorkspaceRecord | undefined {
  const { name, template, kind, owner, served, extendedMs, stoodByMs = 0 } = workspace
  if (kind === 'standby') return undefined
  const queueTicket = isToBeStarted(workspace) ? workspace.ticket : undefined
  const generation = workspace.container?.generation
  if (queueTicket === undefined && generation === undefined) return undefined
  const seats = workspace.seats.map(({ person, ticket }) => ({ person, ticket }))
  return {
    name,
    template,
    kind,
    owner,
    generation,
    queueTicket,
    seats,
    served,
    extendedMs,
    stoodByMs,
    held: isFrozenByHold(workspace),
  }
}

/** A person waits for it, and keeps the place in the queue order over a restart. */
function isToBeStarted({ phase, wanted }: Workspace): boolean {
  switch (phase) {
    case 'queued':
    case 'pulling':
    case 'creating':
    case 'starting':
      return true
    case 'stopping':
      return wanted
    case 'probing':
    case 'ready':
    case 'frozen':
    case 'stopped':
    case 'failed':
      return false
  }
}

export function changedRecords(
  before: State,
  after: State,
  touched: Iterable<WorkspaceName>,
): RecordChanges | undefined {
  const stored = new Map(before.recorded.map((record) => [record.name, record]))
  const formerOf = (name: WorkspaceName): WorkspaceRecord | undefined => {
    const workspace = before.workspaces.get(name)
    return (workspace && recordOf(workspace)) ?? stored.get(name)
  }
  const saved: RecordChanges['saved'][number][] = []
  const removed: WorkspaceName[] = []
  // After the first inventory, records that no workspace has taken up are removed.
  const forgotten = after.recorded === before.recorded ? [] : stored.keys()
  for (const name of new Set([...touched, ...forgotten])) {
    const workspace = after.workspaces.get(name)
    const record = workspace && recordOf(workspace)
    const former = formerOf(name)
    if (record === undefined) {
      if (former !== undefined) removed.push(name)
    } else if (former === undefined) saved.push({ record })
    else if (!isSameRecord(former, record)) saved.push({ record, former })
  }
  const isNewTicket = before.nextTicket !== after.nextTicket
  const homes = changedHomes(before, after)
  if (!isNewTicket && homes === undefined && saved.length === 0 && removed.length === 0)
    return undefined
  return { saved, removed, ...(isNewTicket ? { nextTicket: after.nextTicket } : {}), ...homes }
}

function isSameRecord(one: WorkspaceRecord, other: WorkspaceRecord): boolean {
  return (
    one.name === other.name &&
    one.template === other.template &&
    one.kind === other.kind &&
    one.generation === other.generation &&
    one.queueTicket === other.queueTicket &&
    one.served === other.served &&
    one.extendedMs === other.extendedMs &&
    one.stoodByMs === other.stoodByMs &&
    one.held === other.held &&
    isSamePerson(one.owner, other.owner) &&
    one.seats.length === other.seats.length &&
    one.seats.every((seat, at) => isSameSeat(seat, other.seats[at]))
  )
}

export function isSameSeat(one: RecordedSeat, other: RecordedSeat | undefined): boolean {
  return one.ticket === other?.ticket && isSamePerson(one.person, other.person)
}

function isSamePerson(one: Person | undefined, other: Person | undefined): boolean {
  if (one === other) return true
  return (
    one !== undefined &&
    other !== undefined &&
    one.name === other.name &&
    one.subject === other.subject &&
    one.email === other.email &&
    one.groups.length === other.groups.length &&
    one.groups.every((group, at) => group === other.groups[at])
  )
}
