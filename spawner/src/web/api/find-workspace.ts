// The workspace that a path of /api/v1 names, if the caller may know of it.
import type { Person } from '@berth/shared/contract'
import { BerthError } from '@berth/shared/problems'
import { isTheirs, isTheirsAlone } from '../../policy/asked/theirs.ts'
import type { State, Workspace } from '../../policy/domain.ts'
import { presentWorkspace } from './shown.ts'

interface Named {
  readonly name: string
  /** The person who asks on the portal. Absent: the holder of the token, or an administrator. */
  readonly as?: Person | undefined
}

/** @throws BerthError `workspace_unknown`, also for a workspace that is not the person's */
export function findWorkspace(state: State, { name, as }: Named): Workspace {
  const workspace = presentWorkspace(state, name)
  const mayKnow = workspace !== undefined && (as === undefined || isTheirs(state, workspace, as))
  if (mayKnow) return workspace
  throw new BerthError('workspace_unknown', 'There is no workspace with this name.')
}

/**
 * For what concerns every person in the workspace.
 *
 * @throws BerthError `workspace_unknown` or `conflict`
 */
export function findOwnWorkspace(state: State, asked: Named): Workspace {
  const workspace = findWorkspace(state, asked)
  const { as } = asked
  if (as === undefined || isTheirsAlone(state, workspace, as)) return workspace
  throw new BerthError(
    'conflict',
    'Several people use this workspace, so no single one of them can do that.',
  )
}
