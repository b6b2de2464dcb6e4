// A start that does not wait: it has a place in this very moment, or nothing is left of it.
import type { Person } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { Failure, State, Workspace } from '../../policy/domain.ts'
import { holdsPlace } from '../../policy/state/phases.ts'
import { waitsFor } from '../../policy/queue/limits.ts'
import { ownName } from '../../policy/seats/seat-table.ts'
import type { Template } from '../../templates/template.ts'

export type StartAtOnce =
  | { readonly status: 'placed'; readonly workspace: WorkspaceName }
  /** There is a place; it waits its moment, because others are starting. */
  | { readonly status: 'next'; readonly workspace: WorkspaceName }
  /** No place now; nobody waits for one because of this. */
  | { readonly status: 'full' }
  /** It is being stopped. */
  | { readonly status: 'ending' }
  | { readonly status: 'refused'; readonly failure: Failure }

/** Their own private workspace. */
export function startAtOnce(
  workspaces: Workspaces,
  person: Person,
  template: Template,
): StartAtOnce {
  const name = ownName(workspaces.state(), person.name, template)
  const before = workspaces.state().workspaces.get(name)
  workspaces.requestStart(person, template.name)
  const workspace = workspaces.state().workspaces.get(name)
  if (workspace === undefined || workspace === before || workspace.phase === 'stopped') {
    const refusal = workspaces.view(person, template.name).refusal?.failure
    if (refusal !== undefined) return { status: 'refused', failure: refusal }
  }
  if (workspace === undefined) return { status: 'full' }
  if (isNext(workspaces.state(), workspace)) return { status: 'next', workspace: workspace.name }
  // Whoever waited for it before, at a page, goes on waiting.
  if (workspace.phase === 'queued' && before?.phase !== 'queued')
    workspaces.cancelStart(person, template.name)
  return outcomeOf(workspace)
}

/** One that is nobody's. */
export function openAtOnce(workspaces: Workspaces, template: Template): StartAtOnce {
  const name = workspaces.openShared(template.name)
  const workspace = name && workspaces.state().workspaces.get(name)
  if (workspace === undefined) return { status: 'full' }
  if (workspace.phase === 'queued') workspaces.end(workspace.name, 'remove')
  return outcomeOf(workspace)
}

/** Nothing but `MAX_STARTING` holds it up, and that passes in seconds. */
export function isNext(state: State, workspace: Workspace): boolean {
  return workspace.phase === 'queued' && waitsFor(state, workspace) === 'starting'
}

function outcomeOf(workspace: Workspace): StartAtOnce {
  if (workspace.failure !== undefined && workspace.phase === 'failed')
    return { status: 'refused', failure: workspace.failure }
  if (workspace.phase === 'stopping') return { status: 'ending' }
  if (!holdsPlace(workspace)) return { status: 'full' }
  return { status: 'placed', workspace: workspace.name }
}
