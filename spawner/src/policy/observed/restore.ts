// Restores the records with the first inventory: what was given later is given back to the containers that are still
// there, and the other records are discarded.
import { prefixOf, type WorkspaceName } from '@berth/shared/names'
import { accessOf } from '../asked/access.ts'
import { change, freshWorkspace, type Draft } from '../state/draft.ts'
import type {
  Generation,
  RecordedSeat,
  Seat,
  FoundContainer,
  Workspace,
  WorkspaceRecord,
} from '../domain.ts'
import { leaseSpan } from '../state/deadlines.ts'
import { restoredHold } from '../lifecycle/holds.ts'
import { presentTemplate } from '../lifecycle/take-over.ts'
import { enqueue } from '../lifecycle/transitions.ts'
import { newSeat } from '../seats/seat-table.ts'
import { nextStandbyName } from '../standby/standby.ts'
import { isShared } from '../../templates/template.ts'

/** A container under the name and for the people that it has by now, which labels cannot tell. */
export interface KnownContainer extends FoundContainer {
  /** What was recorded of it. */
  readonly given?: Partial<Workspace>
}

/** By the plan, else by the records, else by the labels. */
export function asKnown(
  draft: Draft,
  containers: readonly FoundContainer[],
): readonly KnownContainer[] {
  const planned = new Map<Generation, Workspace>()
  for (const workspace of draft.workspaces.values())
    if (workspace.container !== undefined) planned.set(workspace.container.generation, workspace)
  const recorded = recordsByGeneration(draft)
  const labelled = new Set<WorkspaceName>()
  // A container that was created and never started is not in use by its owner yet.
  for (const { container, workspace } of containers)
    if (container.status !== 'created') labelled.add(workspace)

  const holders = new Map<WorkspaceName, Generation>()
  const known = containers.map((there): KnownContainer => {
    const { generation } = there.container
    const workspace = planned.get(generation)
    if (workspace !== undefined) {
      holders.set(workspace.name, generation)
      return under(there, workspace)
    }
    const record = recorded.get(generation)
    if (record === undefined) return there
    if (!fits(draft, record, there, labelled)) return promised(there, record)
    holders.set(record.name, generation)
    return { ...under(there, record), given: givenLater(draft, record, there) }
  })
  return known.map((there) => {
    const holder = holders.get(there.workspace)
    return holder === undefined || holder === there.container.generation
      ? there
      : surplus(draft, there)
  })
}

/**
 * A container that was created late, for a person who has a claimed standby by now: it has no owner, under a name that
 * it does not bear, as what is to be taken away.
 */
function surplus(draft: Draft, there: FoundContainer): FoundContainer {
  const name = nextStandbyName(draft, prefixOf(there.workspace))
  return under(there, { name, template: there.template, kind: 'standby', owner: undefined })
}

function recordsByGeneration({ recorded }: Draft): ReadonlyMap<Generation, WorkspaceRecord> {
  const byGeneration = new Map<Generation, WorkspaceRecord>()
  for (const record of recorded)
    if (record.generation !== undefined) byGeneration.set(record.generation, record)
  return byGeneration
}

/**
 * Labels win: a record gives an owner only to a container that was made for no person, or for a name without a subject,
 * and never a second container to a person who has one that was ever started.
 */
function fits(
  draft: Draft,
  record: WorkspaceRecord,
  there: FoundContainer,
  labelled: ReadonlySet<WorkspaceName>,
): boolean {
  // One that is not offered any more may have gone on under another name.
  if (record.template !== there.template && draft.config.templates.has(there.template)) return false
  if (there.kind === 'standby')
    return (
      record.kind === 'private' &&
      record.owner !== undefined &&
      there.owner === undefined &&
      !labelled.has(record.name)
    )
  return (
    record.kind === there.kind &&
    record.name === there.workspace &&
    record.owner?.name === there.owner?.name &&
    (record.owner?.subject === there.owner?.subject || there.owner?.subject === '')
  )
}

function under(
  there: FoundContainer,
  known: Pick<Workspace, 'name' | 'template' | 'kind' | 'owner'>,
): FoundContainer {
  const { name: workspace, template, kind, owner } = known
  // If the inventory does not say it, the label does.
  const container =
    workspace === there.workspace ? there.container : { name: there.workspace, ...there.container }
  return { ...there, template, kind, owner, workspace, container }
}

/** It was to get another name, so it belonged to a person: no other person gets it. */
function promised(there: FoundContainer, { name }: WorkspaceRecord): FoundContainer {
  return there.kind === 'standby' ? { ...there, container: { ...there.container, name } } : there
}

function givenLater(
  draft: Draft,
  { seats, served, extendedMs, stoodByMs, held }: WorkspaceRecord,
  { container }: FoundContainer,
): Partial<Workspace> {
  const leasedUntil = draft.now + leaseSpan(draft.config)
  const given = seatsOf(draft, seats).map((seat) => ({ ...seat, leasedUntil }))
  const isStillHeld = held && container.status === 'paused'
  return {
    seats: given,
    served,
    extendedMs,
    stoodByMs,
    held: isStillHeld ? restoredHold(draft.now) : undefined,
  }
}

/** Everybody counts as there, and their place as in use, from now on. */
function seatsOf({ now }: Draft, recorded: readonly RecordedSeat[]): readonly Seat[] {
  return recorded.map(({ person, ticket }) => newSeat(person, ticket, now))
}

/** After the first inventory was recorded: the people who waited wait again, in the order they had. */
export function restoreQueue(draft: Draft): void {
  for (const recorded of draft.recorded) {
    const record = { ...recorded, template: presentTemplate(draft.config, recorded) }
    if (record.queueTicket !== undefined && isStillOffered(draft, record))
      waitAgain(draft, record, record.queueTicket)
  }
  draft.recorded = []
}

function isStillOffered(draft: Draft, { kind, name, template, owner }: WorkspaceRecord): boolean {
  if (kind !== 'private') {
    const known = draft.config.templates.get(template)
    return known !== undefined && isShared(known)
  }
  const access = owner && accessOf(draft, owner, template)
  return access?.ok === true && access.name === name
}

function waitAgain(draft: Draft, record: WorkspaceRecord, ticket: number): void {
  const { name, template, owner, kind, served, extendedMs } = record
  const present = { seenAt: draft.now, requestedAt: draft.now }
  const known = draft.workspaces.get(name)
  if (known === undefined) {
    const fresh = { ...freshWorkspace(draft, { name, template, owner }), ...present }
    const seats = seatsOf(draft, record.seats)
    enqueue(draft, { ...fresh, kind, seats, served, extendedMs }, { ticket })
  } else if (known.phase === 'stopped') enqueue(draft, { ...known, ...present }, { ticket })
  else if (known.phase === 'stopping') change(draft, known, { ...present, ticket, wanted: true })
}
