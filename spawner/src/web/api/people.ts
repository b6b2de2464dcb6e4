// People as the holder of the token names them: the exact name, and the subject where it is known or given. Pure.
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
 * Who a workspace is made for. A home belongs to a subject, so of somebody who was never here the subject has to be
 * given; with an empty one, whoever comes first under that name would get the files of whoever comes second.
 * Without files there is nothing to get: the first who signs in under the name makes it theirs.
 *
 * @returns `undefined` where the subject has to be given
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
