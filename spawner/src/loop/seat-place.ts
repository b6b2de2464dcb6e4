// Where a person's place of a template is: which workspace they wait for, use and follow.
import type { Person } from '@berth/shared/contract'
import { workspaceName, type WorkspaceName } from '@berth/shared/names'
import type { State, Workspace } from '../policy/domain.ts'
import { isShared } from '../templates/template.ts'

type Whose = Pick<Person, 'name' | 'subject'>

/** The name of a private one, there or not; the shared one they have a seat in, if any. */
export function seatPlace(
  state: Pick<State, 'config' | 'workspaces'>,
  person: Whose,
  template: string,
): WorkspaceName | undefined {
  const known = state.config.templates.get(template)
  if (known === undefined) return undefined
  if (!isShared(known)) return workspaceName(known.prefix, person.name)
  for (const workspace of state.workspaces.values())
    if (workspace.template === template && hasSeat(workspace, person)) return workspace.name
  return undefined
}

export function hasSeat(workspace: Workspace | undefined, { name, subject }: Whose): boolean {
  return (
    workspace?.seats.some(({ person }) => person.name === name && person.subject === subject) ??
    false
  )
}
