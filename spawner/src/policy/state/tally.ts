// What there is, counted: places, starts and memory taken, and whose and of which template workspaces are. It follows
// each change of a workspace, so that no decision has to count them all.
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { PolicyConfig, Tally, TemplateTally, Workspace } from '../domain.ts'
import { editMap, type EditedMap } from './edited-map.ts'
import { countsAsStarting, holdsPlace, isUp } from './phases.ts'

export const emptyTally: Tally = {
  places: 0,
  starting: 0,
  memoryBytes: 0,
  yielding: 0,
  leaving: 0,
  byTemplate: new Map(),
  byPerson: new Map(),
}

const noTemplate: TemplateTally = { places: 0, names: new Map() }

/** A tally while a decision is being made. */
export interface OpenTally {
  places: number
  starting: number
  memoryBytes: number
  yielding: number
  leaving: number
  readonly byTemplate: EditedMap<string, TemplateTally>
  readonly byPerson: EditedMap<UserName, readonly WorkspaceName[]>
}

export function openTally(before: Tally): OpenTally {
  const byTemplate = editMap(before.byTemplate)
  return { ...before, byTemplate, byPerson: editMap(before.byPerson) }
}

const counted = ['places', 'starting', 'memoryBytes', 'yielding', 'leaving'] as const

/** Whether some number is another. */
export function isCountTouched(tally: OpenTally, before: Tally): boolean {
  return counted.some((what) => tally[what] !== before[what])
}

/** @returns the former one itself where nothing changed */
export function closeTally(tally: OpenTally, before: Tally): Tally {
  const byTemplate = tally.byTemplate.result()
  const byPerson = tally.byPerson.result()
  const isSame = byTemplate === before.byTemplate && byPerson === before.byPerson
  if (isSame && !isCountTouched(tally, before)) return before
  const { places, starting, memoryBytes, yielding, leaving } = tally
  return { places, starting, memoryBytes, yielding, leaving, byTemplate, byPerson }
}

export function tallyOf(workspaces: Iterable<Workspace>): Tally {
  const tally = openTally(emptyTally)
  for (const workspace of workspaces) noteChange(tally, undefined, workspace)
  return closeTally(tally, emptyTally)
}

export function noteChange(
  tally: OpenTally,
  before: Workspace | undefined,
  after: Workspace | undefined,
): void {
  const isPlaced = after !== undefined && holdsPlace(after)
  const wasPlaced = before !== undefined && holdsPlace(before)
  if (isPlaced !== wasPlaced || before?.template !== after?.template) {
    if (wasPlaced) notePlace(tally, before.template, -1)
    if (isPlaced) notePlace(tally, after.template, 1)
    noteName(tally, before, after)
  }
  if (wasPlaced) tally.memoryBytes -= heldMemory(before)
  if (isPlaced) tally.memoryBytes += heldMemory(after)
  if (before !== undefined && countsAsStarting(before)) tally.starting--
  if (after !== undefined && countsAsStarting(after)) tally.starting++
  if (before?.phase === 'stopping') tally.leaving--
  if (after?.phase === 'stopping') tally.leaving++
  if (before !== undefined && mayYield(before)) tally.yielding--
  if (after !== undefined && mayYield(after)) tally.yielding++
  notePeople(tally, before, after)
}

const mayYield = (workspace: Workspace) =>
  workspace.phase === 'frozen' || (workspace.kind === 'standby' && holdsPlace(workspace))

/**
 * What a workspace that holds a place counts for against `MAX_MEMORY`: what its container was made with, whatever its
 * template says by now. A container without a limit counts for what its template said when it was given the place.
 */
export function heldMemory({ phase, container, reservedBytes = 0 }: Workspace): number {
  const limit = container?.memoryBytes ?? 0
  const made = limit > 0 ? limit : reservedBytes
  if (phase !== 'pulling' && phase !== 'creating') return made
  // A container that is still there is removed before the new one is made.
  return isUp(container) ? Math.max(made, reservedBytes) : reservedBytes
}

/** What a container of that template would be made with now. */
export function memoryOf(config: PolicyConfig, template: string): number {
  return config.templates.get(template)?.spec.memoryBytes ?? 0
}

function notePlace(tally: OpenTally, template: string, by: 1 | -1): void {
  tally.places += by
  const known = tally.byTemplate.get(template) ?? noTemplate
  tally.byTemplate.set(template, { ...known, places: known.places + by })
}

function noteName(
  tally: OpenTally,
  before: Workspace | undefined,
  after: Workspace | undefined,
): void {
  if (before !== undefined && before.template !== after?.template) {
    const known = tally.byTemplate.get(before.template) ?? noTemplate
    const names = editMap(known.names)
    names.delete(before.name)
    tally.byTemplate.set(before.template, { ...known, names: names.result() })
  }
  if (after !== undefined && before?.template !== after.template) {
    const known = tally.byTemplate.get(after.template) ?? noTemplate
    const names = editMap(known.names)
    names.set(after.name, true)
    tally.byTemplate.set(after.template, { ...known, names: names.result() })
  }
}

/** Whose it is, or who has a seat in it. */
export function peopleOf(workspace: Workspace | undefined): readonly UserName[] {
  if (workspace === undefined) return []
  if (workspace.owner !== undefined) return [workspace.owner.name]
  return workspace.seats.map(({ person }) => person.name)
}

function notePeople(
  tally: OpenTally,
  before: Workspace | undefined,
  after: Workspace | undefined,
): void {
  const name = after?.name ?? before?.name
  if (name === undefined || haveSamePeople(before, after)) return
  const former = new Set(peopleOf(before))
  const present = new Set(peopleOf(after))
  for (const person of former) {
    if (present.has(person)) continue
    const left = (tally.byPerson.get(person) ?? []).filter((other) => other !== name)
    if (left.length === 0) tally.byPerson.delete(person)
    else tally.byPerson.set(person, left)
  }
  for (const person of present)
    if (!former.has(person))
      tally.byPerson.set(person, [...(tally.byPerson.get(person) ?? []), name])
}

export function haveSamePeople(
  before: Workspace | undefined,
  after: Workspace | undefined,
): boolean {
  if (before === undefined || after === undefined) return false
  if (before.owner?.name !== after.owner?.name) return false
  if (before.owner !== undefined || before.seats === after.seats) return true
  return (
    before.seats.length === after.seats.length &&
    before.seats.every((seat, at) => seat.person.name === after.seats[at]?.person.name)
  )
}
