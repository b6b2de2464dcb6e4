// Who is let in: access, identity, and the limits that refuse rather than make wait.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { Failure, Refusal, State, Workspace } from '../domain.ts'
import { failures } from '../lifecycle/failures.ts'
import { holdsPlace } from '../state/phases.ts'
import { exceedsMemory } from '../queue/limits.ts'
import { ownName, seatIn, sharedSeatOf } from '../seats/seat-table.ts'
import { isShared, keepsFiles, type Template } from '../../templates/template.ts'

/** What admission needs to know; a draft has it as well as a state. */
type AccessFacts = Pick<State, 'config' | 'subjects' | 'foreignNames' | 'queue'> & {
  readonly workspaces: { get(name: WorkspaceName): Workspace | undefined }
  readonly tally: {
    readonly byPerson: { get(user: UserName): readonly WorkspaceName[] | undefined }
  }
}

/** `name`: of a private one, whether or not it exists; of a shared one only where the person has a seat, or the route
 * leads to it alone. */
export type Claim =
  | {
      readonly ok: true
      readonly template: Template
      readonly name: WorkspaceName | undefined
      readonly isShared: boolean
    }
  | { readonly ok: false; readonly refusal: Refusal }

/**
 * Whether this person may have a workspace of that template at all, and which is theirs.
 *
 * @param route the one workspace that the way in leads to, whoever comes
 */
export function claimOf(
  known: AccessFacts,
  person: Person,
  templateName: string,
  route?: WorkspaceName,
): Claim {
  if (route !== undefined) return claimRoute(known, person, templateName, route)
  const template = known.config.templates.get(templateName)
  if (template === undefined) return refused(failures.templateUnknown)
  if (!isAllowed(template, person)) return refused(failures.forbidden)
  if (isShared(template)) {
    const workspace = sharedSeatOf(known, person.name, templateName)
    return claimShared(known, person, template, workspace)
  }
  const name = ownName(known, person.name, template)
  if (isAnothers(known, known.workspaces.get(name), template)) return refused(failures.nameInUse)
  const subject = ownerSubject(known, template, name) ?? known.subjects.get(person.name)
  if (subject !== undefined && subject !== person.subject) return refused(failures.identityReused)
  return { ok: true, template, name, isShared: false }
}

function claimRoute(
  known: AccessFacts,
  person: Person,
  templateName: string,
  route: WorkspaceName,
): Claim {
  const workspace = known.workspaces.get(route)
  if (workspace === undefined) {
    // Nobody's at present; its owner may have it made again.
    const own = claimOf(known, person, templateName)
    return own.ok && own.name === route && !own.isShared ? own : refused(failures.workspaceUnknown)
  }
  if (workspace.kind === 'standby') return refused(failures.workspaceUnknown)
  if (workspace.kind === 'private') {
    if (workspace.owner?.name !== person.name) return refused(failures.othersWorkspace)
    const own = claimOf(known, person, workspace.template)
    return own.ok && own.name !== route ? refused(failures.othersWorkspace) : own
  }
  const template = known.config.templates.get(workspace.template)
  if (template === undefined) return refused(failures.templateUnknown)
  if (!isAllowed(template, person)) return refused(failures.forbidden)
  return claimShared(known, person, template, workspace)
}

function claimShared(
  known: AccessFacts,
  person: Person,
  template: Template,
  workspace: Workspace | undefined,
): Claim {
  const seat = workspace && seatIn(workspace, person.name)
  const subject = seat?.person.subject ?? known.subjects.get(person.name)
  if (subject !== undefined && subject !== person.subject) return refused(failures.identityReused)
  return { ok: true, template, name: workspace?.name, isShared: true }
}

/**
 * The API makes workspaces for people by their names alone. Where nothing of theirs is kept, the first who signs in
 * under that name makes it theirs; of a home the subject was known from the beginning.
 */
function ownerSubject(
  known: AccessFacts,
  template: Template,
  name: WorkspaceName,
): string | undefined {
  const subject = known.workspaces.get(name)?.owner?.subject
  return subject === '' && !keepsFiles(template) ? undefined : subject
}

/** Of another template that had this prefix before, and is offered still. What is not offered any more goes on as this. */
function isAnothers(
  known: AccessFacts,
  workspace: Workspace | undefined,
  template: Template,
): boolean {
  if (workspace === undefined || workspace.template === template.name) return false
  if (!known.config.templates.has(workspace.template)) return false
  const { container, phase } = workspace
  return container !== undefined || phase === 'queued' || holdsPlace(workspace)
}

const refused = (failure: Failure): Claim => ({ ok: false, refusal: { failure } })

/** By the groups of their last request. */
export function isAllowed(template: Template, person: Person): boolean {
  const { allowedUsers, allowedGroups } = template.policy
  if (allowedUsers.length === 0 && allowedGroups.length === 0) return true
  if (allowedUsers.includes(person.name)) return true
  return person.groups.some((group) => allowedGroups.includes(group))
}

/**
 * Why a start that this person asks for now would not even be queued.
 *
 * @param name the workspace, where it is known by now
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
  const { maxWorkspacesPerUser: limit, maxMemoryBytes } = known.config.limits
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
