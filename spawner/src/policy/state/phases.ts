// What a phase means: who holds a place, who is on the way up, and what of it people are told.
import type { Phase, ShownPhase } from '@berth/shared/contract'
import type { Container, Workspace } from '../domain.ts'

const startPhases: ReadonlySet<Phase> = new Set(['pulling', 'creating', 'starting', 'probing'])
const placePhases: ReadonlySet<Phase> = new Set([...startPhases, 'ready', 'frozen', 'stopping'])

/** As people are told: one that is kept only to tell held requests from new ones is absent. */
export function shownPhase(workspace: Workspace | undefined): ShownPhase {
  if (workspace === undefined) return 'absent'
  const { phase, container, stopReason } = workspace
  return phase === 'stopped' && container === undefined && stopReason !== 'lifetime'
    ? 'absent'
    : phase
}

/** Counts against `MAX_WORKSPACES`. */
export function holdsPlace(workspace: Workspace): boolean {
  return placePhases.has(workspace.phase)
}

export function isStarting(workspace: Workspace): boolean {
  return startPhases.has(workspace.phase)
}

/** Counts against `MAX_STARTING`: one that served already and is only looked for again does not. */
export function countsAsStarting(workspace: Workspace): boolean {
  return isStarting(workspace) && workspace.servesSince === undefined
}

/** It has its memory and its processes: it runs, or it is frozen. */
export function isUp(container: Container | undefined): container is Container {
  return container?.status === 'running' || container?.status === 'paused'
}

/** It has a container, or will have one. Otherwise only what became of it is remembered. */
export function isThere(workspace: Workspace | undefined): workspace is Workspace {
  if (workspace === undefined) return false
  return workspace.container !== undefined || workspace.phase === 'queued' || holdsPlace(workspace)
}
