// How many guests have a workspace, and whether one more may.
import type { Person } from '@berth/shared/contract'
import { guestOrigin } from '@berth/shared/guests'
import { isGuestName, type UserName, type WorkspaceName } from '@berth/shared/names'
import type { Refusal, State, Workspace } from '../domain.ts'
import { failures } from '../lifecycle/failures.ts'
import { seatIn } from '../seats/seat-table.ts'
import { isThere } from '../state/phases.ts'

/** A state has these facts, and a draft too. */
type GuestFacts = Pick<State, 'config'> & {
  readonly workspaces: { get(name: WorkspaceName): Workspace | undefined }
  readonly tally: {
    readonly byPerson: { entries(): Iterable<[UserName, readonly WorkspaceName[]]> }
  }
}

/** Those who have a workspace that is there, or a seat: others may start the workspace of a seat again. What is only
 * remembered of a workspace of their own that has ended does not count. */
export function presentGuests(known: GuestFacts): readonly Person[] {
  const guests: Person[] = []
  for (const [name, workspaces] of known.tally.byPerson.entries()) {
    if (!isGuestName(name)) continue
    const there = workspaces.map((each) => known.workspaces.get(each)).find(hasGuest)
    const person = there?.owner ?? (there && seatIn(there, name)?.person)
    if (person !== undefined) guests.push(person)
  }
  return guests
}

const hasGuest = (workspace: Workspace | undefined): boolean =>
  workspace?.kind === 'shared' || isThere(workspace)

/** Why this person cannot become one more guest who has a workspace. */
export function guestRefusal(known: GuestFacts, person: Person): Refusal | undefined {
  const origin = guestOrigin(person)
  if (origin === undefined) return undefined
  const guests = presentGuests(known)
  if (guests.some(({ name }) => name === person.name)) return undefined
  const { maxGuests, guestsPerAddress } = known.config.limits
  const alike = guests.filter((guest) => guestOrigin(guest) === origin).length
  if (guestsPerAddress > 0 && alike >= guestsPerAddress)
    return { failure: failures.guestsOfAddress, limit: guestsPerAddress }
  if (maxGuests > 0 && guests.length >= maxGuests)
    return { failure: failures.guestLimit, limit: maxGuests }
  return undefined
}
