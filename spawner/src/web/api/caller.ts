// Who asks /api/v1 and what they may touch. How they are known (a token, a sign-in) is somebody else's business. Pure.
import type { Person } from '@berth/shared/contract'
import { BerthError } from '@berth/shared/problems'
import type { Workspace } from '../../policy/domain.ts'

export type ApiCaller =
  /** Acts for everybody. */
  | { readonly kind: 'token' }
  | { readonly kind: 'person'; readonly person: Person; readonly isAdmin: boolean }

export function maySee(caller: ApiCaller, { owner, seats }: Workspace): boolean {
  if (caller.kind === 'token' || caller.isAdmin) return true
  const { name, subject } = caller.person
  const isThem = (person: Person) => person.name === name && person.subject === subject
  return (owner !== undefined && isThem(owner)) || seats.some(({ person }) => isThem(person))
}

/** What several people use, none of them ends for the others. */
export function mayEnd(caller: ApiCaller, workspace: Workspace): boolean {
  if (caller.kind === 'token' || caller.isAdmin) return true
  return workspace.kind === 'private' && maySee(caller, workspace)
}

export function requireAdmin(caller: ApiCaller): void {
  if (caller.kind === 'token' || caller.isAdmin) return
  throw new BerthError('not_admin', 'Only administrators may see this.')
}
