// Access: whether a person may have a workspace of a template, and the limits that refuse a start instead of queueing it.
import type { Person } from '@berth/shared/contract'
import { isGuestName, type UserName, type WorkspaceName } from '@berth/shared/names'
import type { Failure, Refusal, State, Workspace } from '../domain.ts'
import { closedBy, failures, renamedFrom } from '../lifecycle/failures.ts'
import { holdsPlace, isThere } from '../state/phases.ts'
import { exceedsMemory } from '../queue/limits.ts'
import { placeOf, seatIn } from '../seats/seat-table.ts'
import { guestRefusal } from './guests.ts'
import { keepsFiles, type Template } from '../../templates/template.ts'

/** A state has these facts, and a draft too. */
type AccessFacts = Pick<State, 'config' | 'subjects' | 'foreignNames' | 'queue'> & {
  readonly workspaces: { get(name: WorkspaceName): Workspace | undefined }
  readonly tally: {
    readonly byPerson: {
      get(user: UserName): readonly WorkspaceName[] | undefined
      entries(): Iterable<[UserName, readonly WorkspaceName[]]>
    }
  }
}

/** Allowed, or refused and why. `name`: the private workspace of the person, whether or not it exists; a shared workspace only if the person has a
 * seat in it, or the route leads to it alone. */
export type Access = Allowed | { readonly ok: false; readonly refusal: Refusal }

export interface Allowed {
  readonly ok: true
  readonly template: Template
  readonly name: WorkspaceName | undefined
  readonly isShared: boolean
}

/**
 * Whether this person may have a workspace of that template at all, and which one is theirs.
 *
 * @param route the one workspace that the route leads to, for every person
 */
export function accessOf(
  known: AccessFacts,
  person: Person,
  templateName: string,
  route?: WorkspaceName,
): Access {
  if (route !== undefined) return accessByRoute(known, person, templateName, route)
  const template = known.config.templates.get(templateName)
  if (template === undefined) return refused(failures.templateUnknown)
  if (!isAllowed(template, person)) return refused(forbiddenTo(template, person))
  const { name, isShared } = placeOf(known, person.name, template)
  if (isShared || name === undefined) {
    const workspace = name === undefined ? undefined : known.workspaces.get(name)
    return accessToShared(known, person, template, workspace)
  }
  if (isAnothers(known, known.workspaces.get(name), template)) return refused(failures.nameInUse)
  const subject = ownerSubject(known, template, name) ?? known.subjects.get(person.name)
  if (subject !== undefined && subject !== person.subject) return refused(failures.identityReused)
  const former =
    subject === undefined && keepsFiles(template) ? formerName(known, person) : undefined
  if (former !== undefined) return refused(renamedFrom(former))
  return { ok: true, template, name, isShared: false }
}

function accessByRoute(
  known: AccessFacts,
  person: Person,
  templateName: string,
  route: WorkspaceName,
): Access {
  const workspace = known.workspaces.get(route)
  if (workspace === undefined) {
    // The workspace is not there at present, but its owner may have it created again.
    const own = accessOf(known, person, templateName)
    return own.ok && own.name === route && !own.isShared ? own : refused(failures.workspaceUnknown)
  }
  if (workspace.kind === 'standby') return refused(failures.workspaceUnknown)
  if (workspace.kind === 'private') {
    if (workspace.owner?.name !== person.name) return refused(failures.othersWorkspace)
    const own = accessOf(known, person, workspace.template)
    return own.ok && own.name !== route ? refused(failures.othersWorkspace) : own
  }
  const template = known.config.templates.get(workspace.template)
  if (template === undefined) return refused(failures.templateUnknown)
  if (!isAllowed(template, person)) return refused(forbiddenTo(template, person))
  return accessToShared(known, person, template, workspace)
}

function accessToShared(
  known: AccessFacts,
  person: Person,
  template: Template,
  workspace: Workspace | undefined,
): Access {
  const seat = workspace && seatIn(workspace, person.name)
  const subject = seat?.person.subject ?? known.subjects.get(person.name)
  if (subject !== undefined && subject !== person.subject) return refused(failures.identityReused)
  return { ok: true, template, name: workspace?.name, isShared: true }
}

/**
 * The API creates workspaces for people by their names alone. If the template keeps no files, the first person who
 * signs in under that name becomes the owner. A home has had a subject from its beginning.
 */
function ownerSubject(
  known: AccessFacts,
  template: Template,
  name: WorkspaceName,
): string | undefined {
  const subject = known.workspaces.get(name)?.owner?.subject
  return subject === '' && !keepsFiles(template) ? undefined : subject
}

/** The other user name under which the person's subject has files. Under the present one there are none yet. */
function formerName({ subjects }: AccessFacts, { subject }: Person): UserName | undefined {
  if (subject === '') return undefined
  for (const [name, owner] of subjects) if (owner === subject) return name
  return undefined
}

/** The workspace is of another template, which had this prefix before and is still offered. A workspace of a template
 * that is no longer offered continues under this one. */
function isAnothers(
  known: AccessFacts,
  workspace: Workspace | undefined,
  template: Template,
): boolean {
  if (workspace === undefined || workspace.template === template.name) return false
  if (!known.config.templates.has(workspace.template)) return false
  return isThere(workspace)
}

/** Names the groups, so that the person knows which access to ask for. */
function forbiddenTo({ policy }: Template, { groups }: Person): Failure {
  const named = policy.allowedGroups.map((group) => `“${group}”`)
  if (named.length === 0) return failures.forbidden
  const one = named.length === 1 ? `the group ${named[0]}` : `one of the groups ${named.join(', ')}`
  const yours =
    groups.length === 0
      ? 'Your sign-in named no group of yours.'
      : 'Your account is not in it, as far as your sign-in told.'
  return {
    code: 'template_forbidden',
    detail: `This is for members of ${one}. ${yours} Ask an administrator for access if you need it.`,
  }
}

const refused = (failure: Failure): Access => ({ ok: false, refusal: { failure } })

/** The groups are those of the person's last request. */
export function isAllowed(template: Template, person: Person): boolean {
  const { allowedUsers, allowedGroups, allowsGuests } = template.policy
  if (isGuestName(person.name)) return allowsGuests
  if (allowedUsers.length === 0 && allowedGroups.length === 0) return true
  if (allowedUsers.includes(person.name)) return true
  return person.groups.some((group) => allowedGroups.includes(group))
}

/**
 * Why a start that this person requests now would be refused instead of queued.
 *
 * @param name the workspace, if it has a name yet
 */
export function refusalToStart(
  known: AccessFacts,
  person: Person | undefined,
  template: string,
  name: WorkspaceName | undefined,
): Refusal | undefined {
  const workspace = name === undefined ? undefined : known.workspaces.get(name)
  if (name !== undefined && workspace?.container === undefined && known.foreignNames.has(name))
    return { failure: failures.nameTaken }
  const { maintenance, closed } = known.config.house ?? {}
  if (maintenance !== undefined) return { failure: closedBy('maintenance', maintenance) }
  const why = closed?.get(template)
  if (why !== undefined) return { failure: closedBy('template_closed', why) }
  const { maxWorkspacesPerUser: limit, maxMemoryBytes } = known.config.limits
  const guests = person === undefined ? undefined : guestRefusal(known, person)
  if (guests !== undefined) return guests
  if (exceedsMemory(known.config, template))
    return { failure: failures.tooBig, limit: maxMemoryBytes }
  if (limit > 0 && person !== undefined && othersOf(known, person, name) >= limit)
    return { failure: failures.userLimit, limit }
  return undefined
}

export function isQueueTooLong(known: AccessFacts): boolean {
  const { maxQueue } = known.config.limits
  return maxQueue > 0 && known.queue.length > maxQueue
}

function othersOf(known: AccessFacts, person: Person, name: WorkspaceName | undefined): number {
  let count = 0
  for (const other of known.tally.byPerson.get(person.name) ?? []) {
    const workspace = other === name ? undefined : known.workspaces.get(other)
    if (workspace === undefined) continue
    if (holdsPlace(workspace) || workspace.phase === 'queued') count++
  }
  return count
}
