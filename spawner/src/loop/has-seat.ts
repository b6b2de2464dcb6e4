// Whether somebody has a place in a workspace: the very person, not one who bears the same name.
import type { Person } from '@berth/shared/contract'
import type { Workspace } from '../policy/domain.ts'

export function hasSeat(
  workspace: Workspace | undefined,
  { name, subject }: Pick<Person, 'name' | 'subject'>,
): boolean {
  return (
    workspace?.seats.some(({ person }) => person.name === name && person.subject === subject) ??
    false
  )
}
