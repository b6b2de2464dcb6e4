// Who is let in: access, identity, and the limits that refuse rather than make wait.
import type { Person } from '@berth/shared/contract'
import { workspaceName, type UserName, type WorkspaceName } from '@berth/shared/names'
import type { Failure, State, Workspace } from './domain.ts'
import { failures } from './failures.ts'
import { holdsPlace } from './phases.ts'
import { keepsFiles, type Template } from '../templates/template.ts'

/** What admission needs to know; a draft has it as well as a state. */
type Known = Pick<State, 'config' | 'subjects' | 'foreignNames' | 'queue'> & {
  readonly workspaces: { get(name: WorkspaceName): Workspace | undefined }
  readonly tally: {
    readonly byPerson: { get(user: UserName): readonly WorkspaceName[] | undefined }
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
  const subject = ownerSubject(known, template, name) ?? known.subjects.get(person.name)
  if (subject !== undefined && subject !== person.subject) return refused(failures.identityReused)
  return { ok: true, template, name }
}

/**
 * The API makes workspaces for people by their names alone. Where nothing of theirs is kept, the first who signs in
 * under that name makes it theirs; of a home the subject was known from the beginning.
 */
function ownerSubject(known: Known, template: Template, name: WorkspaceName): string | undefined {
  const subject = known.workspaces.get(name)?.owner?.subject
  return subject === '' && !keepsFiles(template) ? undefined : subject
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
  for (const other of known.tally.byPerson.get(person.name) ?? []) {
    const workspace = other === name ? undefined : known.workspaces.get(other)
    if (workspace === undefined) continue
    if (holdsPlace(workspace) || workspace.phase === 'queued') count++
  }
  return count
}
