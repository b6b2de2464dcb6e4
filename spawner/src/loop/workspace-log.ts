// The log lines of a workspace: one for each start, failure and end, with its phases and how long each took.
import type { Log } from '@berth/shared/log'
import { bounded } from '@berth/shared/log'
import type { Announcement, Milestone, State } from '../policy/domain.ts'
import type { LoopObserver } from './observer.ts'

/** Milliseconds spent in each phase of a start, by its name. */
export function durations(milestones: readonly Milestone[]): Readonly<Record<string, number>> {
  const spent: Record<string, number> = {}
  milestones.forEach(({ phase, at }, index) => {
    const next = milestones[index + 1]
    if (next !== undefined) spent[phase] = Math.round((spent[phase] ?? 0) + next.at - at)
  })
  return spent
}

export function recordAnnouncement(
  deps: { log: Log; observer: LoopObserver },
  { workspace: name, phase, start, failure, requestId }: Announcement,
  state: State,
): void {
  const { log, observer } = deps
  const workspace = state.workspaces.get(name)
  if (workspace === undefined) {
    log.info({ requestId, workspace: name }, 'workspace forgotten')
    return
  }
  const { template, owner } = workspace
  const fields = { requestId, workspace: name, template, user: owner && bounded(owner.name) }
  if (phase === 'ready' && start !== undefined) {
    const spent = durations(workspace.milestones)
    const { kind, ms } = start
    log.info({ ...fields, start: kind, ms: Math.round(ms), ...spent }, 'workspace ready')
    const queuedSeconds = (spent['queued'] ?? 0) / 1_000
    observer.ready({ template, kind, seconds: ms / 1_000, queuedSeconds })
    return
  }
  if (phase === 'failed') {
    const { code, detail, obstacle, cause, exitCode } = failure ?? {}
    const spent = durations(workspace.milestones)
    log.warn({ ...fields, code, detail, obstacle, cause, exitCode, ...spent }, 'workspace failed')
    observer.startFailed(template)
    return
  }
  if (phase === 'frozen') return log.info(fields, 'workspace frozen')
  const isEnd = phase === 'stopping' || phase === 'stopped'
  // The kernel killed a process in it for memory.
  const outOfMemory = workspace.container?.outOfMemory === true ? { outOfMemory: true } : {}
  if (isEnd)
    log.info({ ...fields, reason: workspace.stopReason, ...outOfMemory }, `workspace ${phase}`)
  else log.debug(fields, `workspace ${phase}`)
}
