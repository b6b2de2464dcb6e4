// Freezing and thawing: which workspaces are about to be frozen, requests to thaw one, and what the engine answered.
import { change, enter, withContainer, type Draft } from '../state/draft.ts'
import type { Workspace } from '../domain.ts'
import { policyOf } from '../state/deadlines.ts'
import { isAwaited, measureThaw, stop } from './transitions.ts'

/** No person is sent to a workspace that may be frozen when the request arrives. */
export function isFreezing(workspace: Workspace | undefined): boolean {
  return workspace?.phase === 'ready' && workspace.pending?.step === 'freeze'
}

/** A person asks for a frozen workspace: it is in use from now on, and is thawed as soon as possible. */
export function requestThaw(draft: Draft, workspace: Workspace): void {
  const thawRequestedAt = workspace.thawRequestedAt ?? draft.now
  change(draft, workspace, { lastUseAt: draft.now, thawRequestedAt })
}

/** @param container as the engine shows it, if an inventory told */
export function becomeFrozen(
  draft: Draft,
  workspace: Workspace,
  container = withContainer(workspace, { status: 'paused' }),
): Workspace {
  // The milestones of its start are complete: otherwise each freeze and thaw would add to them.
  return enter(draft, { ...workspace, milestones: [] }, 'frozen', {
    container,
    readyBy: undefined,
    probed: [],
    thawRequestedAt: workspace.thawRequestedAt,
    held: workspace.held,
  })
}

/** A workspace that no director has reached yet is probed next. */
export function becomeThawed(
  draft: Draft,
  workspace: Workspace,
  container = withContainer(workspace, { status: 'running' }),
): void {
  const thawed = { ...workspace, container }
  if (workspace.servesSince === undefined) {
    const readyBy = draft.now + policyOf(draft.config, workspace).startTimeoutMs
    enter(draft, thawed, 'probing', { readyBy, probed: [] })
    return
  }
  measureThaw(draft, workspace)
  // The person who asked for it has a whole idle step to come back, as after a start.
  const isAsked = workspace.thawRequestedAt !== undefined
  const lastUseAt = isAsked ? Math.max(workspace.lastUseAt, draft.now) : workspace.lastUseAt
  enter(draft, thawed, 'ready', { lastUseAt })
}

export function noteFrozen(draft: Draft, workspace: Workspace): void {
  // It may have died meanwhile.
  if (workspace.container?.status !== 'running') return
  if (workspace.phase === 'ready') becomeFrozen(draft, workspace)
  else change(draft, workspace, { container: withContainer(workspace, { status: 'paused' }) })
}

export function noteThawed(draft: Draft, workspace: Workspace): void {
  if (workspace.container?.status !== 'paused') return
  if (workspace.phase === 'frozen') becomeThawed(draft, workspace)
  else change(draft, workspace, { container: withContainer(workspace, { status: 'running' }) })
}

/** How long to wait before a step that the engine refused is ordered again, or a busy application is asked again. */
export function idleRestMs(draft: Draft, workspace: Workspace): number {
  const { idleFreezeMs, idleStopMs } = policyOf(draft.config, workspace)
  const stepMs = Math.min(idleFreezeMs || idleStopMs, idleStopMs || idleFreezeMs)
  return Math.min(Math.max(stepMs / 4, 1), longestRestMs)
}

const longestRestMs = 60_000

/** `retry`: the container may be frozen all the same, so it counts as frozen until it was thawed or an inventory shows otherwise. */
export function noteFreezeFailed(draft: Draft, workspace: Workspace, retry: boolean): void {
  if (workspace.phase !== 'ready') return
  if (retry) return void becomeFrozen(draft, workspace)
  const restMs = Math.max(idleRestMs(draft, workspace), draft.config.retryAfterMs)
  change(draft, workspace, { retryAt: draft.now + restMs, thawRequestedAt: undefined })
}

/** It is tried a few times more. Then the workspace is restarted for the person who waits. */
export function noteThawFailed(draft: Draft, workspace: Workspace): void {
  if (workspace.phase !== 'frozen') return
  const { retryAfterMs } = draft.config
  const retryUntil = workspace.retryUntil ?? draft.now + thawRetries * retryAfterMs
  if (draft.now < retryUntil) {
    change(draft, workspace, { retryAt: draft.now + retryAfterMs, retryUntil })
    return
  }
  const wanted = isAwaited(draft, workspace)
  stop(draft, workspace, 'replaced', {
    wanted,
    requestedAt: workspace.thawRequestedAt ?? draft.now,
  })
}

const thawRetries = 3
