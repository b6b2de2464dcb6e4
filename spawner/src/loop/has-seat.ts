// Whether a person has a seat in a workspace: the same name with another subject is another person.
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
