// Who is an administrator. Pure.
import type { Person } from './contract.ts'

export interface Administrators {
  /** ADMIN_GROUP. */
  readonly group: string
  /** ADMIN_USERS, as the gateway sends them. */
  readonly users: readonly string[]
}

export function isAdministrator(
  { name, groups }: Pick<Person, 'name' | 'groups'>,
  { group, users }: Administrators,
): boolean {
  return groups.includes(group) || users.includes(name)
}
