// A start that does not wait in the queue: the workspace gets a place now, or the request is withdrawn.
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
  /** There is a place. The workspace only waits because too many others are starting. */
  | { readonly status: 'next'; readonly workspace: WorkspaceName }
  /** No place is free now. The request is not queued. */
  | { readonly status: 'full' }
  /** The workspace is being stopped. */
  | { readonly status: 'ending' }
  | { readonly status: 'refused'; readonly failure: Failure }

/** Starts the private workspace of the person. */
export function startAtOnce(
  workspaces: Workspaces,
  person: Person,
  template: Template,
  requestId?: string,
): StartAtOnce {
  const name = ownName(workspaces.state(), person.name, template)
  const before = workspaces.state().workspaces.get(name)
  workspaces.requestStart(person, template.name, undefined, requestId)
  const workspace = workspaces.state().workspaces.get(name)
  if (workspace === undefined || workspace === before || workspace.phase === 'stopped') {
    const refusal = workspaces.view(person, template.name).refusal?.failure
    if (refusal !== undefined) return { status: 'refused', failure: refusal }
  }
  if (workspace === undefined) return { status: 'full' }
  if (isNext(workspaces.state(), workspace)) return { status: 'next', workspace: workspace.name }
  // If the person waited for this workspace before, on a page, it stays in the queue.
  if (workspace.phase === 'queued' && before?.phase !== 'queued')
    workspaces.cancelStart(person, template.name, undefined, requestId)
  return outcomeOf(workspace)
}

/** Opens a shared workspace, which has no owner. */
export function openAtOnce(
  workspaces: Workspaces,
  template: Template,
  requestId?: string,
): StartAtOnce {
  const name = workspaces.openShared(template.name, requestId)
  const workspace = name && workspaces.state().workspaces.get(name)
  if (workspace === undefined) return { status: 'full' }
  if (workspace.phase === 'queued') workspaces.end(workspace.name, 'remove', requestId)
  return outcomeOf(workspace)
}

/** Whether the workspace waits only for `MAX_STARTING`, which takes seconds. */
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
