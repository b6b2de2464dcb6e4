// The person that a request of the API names: the exact user name, and the subject if it is known or given. Pure.
import type { Person } from '@berth/shared/contract'
import type { UserName } from '@berth/shared/names'
import type { State } from '../../policy/domain.ts'
import { keepsFiles, type Template } from '../../templates/template.ts'

export interface NamedPerson {
  readonly user: UserName
  readonly subject?: string | undefined
  readonly groups?: readonly string[] | undefined
}

/**
 * The person that a workspace is started for. A home belongs to a subject. If Berth does not know the subject of a user,
 * the request must name it: with an empty subject, the first person who signs in under that user name would get the
 * files. A template without files needs no subject: the first person who signs in under the name becomes the owner.
 *
 * @returns `undefined` if the request must name the subject
 */
export function personNamed(
  state: State,
  template: Template,
  { user, subject, groups = [] }: NamedPerson,
): Person | undefined {
  const known = subject ?? knownSubject(state, user)
  if (known === undefined && keepsFiles(template)) return undefined
  return { name: user, subject: known ?? '', groups: [...groups] }
}

function knownSubject(state: State, user: UserName): string | undefined {
  const home = state.subjects.get(user)
  if (home !== undefined) return home
  for (const { owner, seats } of state.workspaces.values()) {
    if (owner?.name === user && owner.subject !== '') return owner.subject
    const seat = seats.find(({ person }) => person.name === user && person.subject !== '')
    if (seat !== undefined) return seat.person.subject
  }
  return undefined
}
