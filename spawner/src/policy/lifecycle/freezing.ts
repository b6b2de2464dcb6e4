// Freezing and waking: who is on the way to or from it, what asking for one records, and what the engine answered.
import { change, enter, withContainer, type Draft } from '../state/draft.ts'
import type { Workspace } from '../domain.ts'
import { policyOf } from '../state/deadlines.ts'
import { isAwaited, noteWoken, stop } from './transitions.ts'

/** Nobody is sent to a workspace that may be frozen by the time they arrive. */
export function isFreezing(workspace: Workspace | undefined): boolean {
  return workspace?.phase === 'ready' && workspace.pending?.step === 'freeze'
}

/** Somebody asks for it who may wake it: it is used from now on, and thaws as soon as it can. */
export function wake(draft: Draft, workspace: Workspace): void {
  const wakeAskedAt = workspace.wakeAskedAt ?? draft.now
  change(draft, workspace, { lastUseAt: draft.now, wakeAskedAt })
}

/** @param container as the engine shows it, where a look told */
export function becomeFrozen(
  draft: Draft,
  workspace: Workspace,
  container = withContainer(workspace, { status: 'paused' }),
): Workspace {
  // The story of its start is over: else each round of freezing and waking would make it longer.
  return enter(draft, { ...workspace, milestones: [] }, 'frozen', {
    container,
    readyBy: undefined,
    probed: [],
    wakeAskedAt: workspace.wakeAskedAt,
  })
}

/** One that no director has reached yet goes on with that. */
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
  noteWoken(draft, workspace)
  // Who asked for it has a whole idle step to come back, as after a start.
  const isAsked = workspace.wakeAskedAt !== undefined
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

/** How often a step that the engine refuses, or an application that is busy, is come back to. */
export function idleRestMs(draft: Draft, workspace: Workspace): number {
  const { idleFreezeMs, idleStopMs } = policyOf(draft.config, workspace)
  const stepMs = Math.min(idleFreezeMs || idleStopMs, idleStopMs || idleFreezeMs)
  return Math.min(Math.max(stepMs / 4, 1), longestRestMs)
}

const longestRestMs = 60_000

/** `retry`: it may have been frozen all the same, so it counts as frozen until it was thawed or a look tells otherwise. */
export function noteFreezeFailed(draft: Draft, workspace: Workspace, retry: boolean): void {
  if (workspace.phase !== 'ready') return
  if (retry) return void becomeFrozen(draft, workspace)
  const restMs = Math.max(idleRestMs(draft, workspace), draft.config.retryAfterMs)
  change(draft, workspace, { retryAt: draft.now + restMs, wakeAskedAt: undefined })
}

/** A few times more; then it is started anew for who waits. */
export function noteThawFailed(draft: Draft, workspace: Workspace): void {
  if (workspace.phase !== 'frozen') return
  const { retryAfterMs } = draft.config
  const retryUntil = workspace.retryUntil ?? draft.now + thawRetries * retryAfterMs
  if (draft.now < retryUntil) {
    change(draft, workspace, { retryAt: draft.now + retryAfterMs, retryUntil })
    return
  }
  const wanted = isAwaited(draft, workspace)
  stop(draft, workspace, 'replaced', { wanted, requestedAt: workspace.wakeAskedAt ?? draft.now })
}

const thawRetries = 3
