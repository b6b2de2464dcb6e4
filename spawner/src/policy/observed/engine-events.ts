// Engine events: what the engine tells of one container without being asked.
import { byGeneration, change, withContainer, type Draft } from '../state/draft.ts'
import { isUp } from '../state/phases.ts'
import type { Container, Event, Generation, Workspace } from '../domain.ts'
import { exitedAtStart } from '../lifecycle/failures.ts'
import { endByItself, exited, fail, vanish } from '../lifecycle/transitions.ts'

export function noteDeath(draft: Draft, generation: Generation, exitCode: number): void {
  const workspace = byGeneration(draft, generation)
  if (workspace === undefined) return
  if (workspace.deathUnheard) {
    // The echo of a stop of ours, which may arrive after the next start.
    change(draft, workspace, { deathUnheard: false })
    return
  }
  died(draft, workspace, exitCode)
}

/** A container that ran does not run any more. */
export function died(draft: Draft, workspace: Workspace, exitCode: number | undefined): void {
  const container = exited(workspace, exitCode)
  switch (workspace.phase) {
    case 'ready':
    case 'frozen':
      change(draft, endByItself(draft, workspace, exitCode), { changedAt: draft.now })
      return
    case 'probing':
      if (workspace.servesSince !== undefined)
        change(draft, endByItself(draft, workspace, exitCode), { changedAt: draft.now })
      else fail(draft, { ...workspace, container, changedAt: draft.now }, exitedAtStart(exitCode))
      return
    case 'starting':
      change(draft, workspace, {
        container,
        changedAt: draft.now,
        diedAt: workspace.pending?.step === 'start' ? draft.now : undefined,
      })
      return
    case 'queued':
    case 'pulling':
    case 'creating':
    case 'stopping':
    case 'stopped':
    case 'failed':
      if (isUp(workspace.container)) change(draft, workspace, { container, changedAt: draft.now })
  }
}

export function noteDestroyed(draft: Draft, generation: Generation): void {
  const workspace = byGeneration(draft, generation)
  // A step that is under way finds out by itself.
  if (workspace !== undefined && workspace.pending === undefined) vanish(draft, workspace)
}

/** The engine may tell of it only after the death that it caused. */
export function noteOutOfMemory(draft: Draft, generation: Generation): void {
  const workspace = byGeneration(draft, generation)
  if (workspace === undefined || workspace.container?.outOfMemory === true) return
  change(draft, workspace, { container: withContainer(workspace, { outOfMemory: true }) })
}

export function noteHealth(
  draft: Draft,
  event: Extract<Event, { type: 'container-health' }>,
): void {
  const workspace = byGeneration(draft, event.generation)
  if (workspace === undefined || workspace.container?.health === event.health) return
  // A frozen one cannot answer its health check.
  if (workspace.container?.status === 'paused') return
  const health: Container['health'] = event.health
  if (health === undefined) return
  change(draft, workspace, { container: withContainer(workspace, { health }) })
}
