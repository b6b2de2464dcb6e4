// Renames a container whose name on the engine is not the name of its workspace, until it succeeds.
import type { Event, Workspace } from '../domain.ts'
import { change, order, rests, withContainer, type Draft } from '../state/draft.ts'

/** The workspace is reached by its address meanwhile. An operator has to remove what has its name. */
const pauseMs = 60_000

export function isMisnamed({ name, container }: Workspace): boolean {
  return container?.name !== undefined && container.name !== name
}

/** After all other steps that may be due for a workspace that runs. */
export function settleName(draft: Draft, workspace: Workspace): void {
  const { name, kind, phase, container, renameAt } = workspace
  if (kind === 'standby' || (phase !== 'ready' && phase !== 'probing')) return
  if (container === undefined || !isMisnamed(workspace) || rests(draft, workspace)) return
  if (renameAt !== undefined && renameAt > draft.now) return
  const { generation } = container
  order(draft, workspace, 'rename', { type: 'rename-container', workspace: name, generation })
}

export function noteRenamed(
  draft: Draft,
  event: Extract<Event, { type: 'container-renamed' }>,
): void {
  const workspace = draft.workspaces.get(event.workspace)
  if (workspace?.pending?.step !== 'rename') return
  const isIt = workspace.container?.generation === event.generation
  const { name } = workspace
  change(draft, workspace, {
    pending: undefined,
    changedAt: draft.now,
    renameAt: undefined,
    ...(isIt ? { container: withContainer(workspace, { name }) } : {}),
  })
}

export function noteRenameFailed(draft: Draft, workspace: Workspace): void {
  change(draft, workspace, { renameAt: draft.now + pauseMs })
}
