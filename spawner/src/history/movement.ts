// Which entries a change of a workspace's phase makes. Pure: from what the loop announces to what the history keeps.
import { durations } from '../loop/workspace-log.ts'
import type { Moved } from '../loop/observer.ts'
import type { Workspace } from '../policy/domain.ts'
import { startOf } from '../policy/lifecycle/transitions.ts'
import { isStarting, shownPhase } from '../policy/state/phases.ts'
import type { EndReason, Entry } from './entry.ts'

export type NewEntry = Omit<Entry, 'at'>

/** @returns none for standbys, unless they fail: no person has anything to do with them yet */
export function entriesOf({ before, after, announcement, now }: Moved): readonly NewEntry[] {
  if (announcement.phase === 'failed') return failedStart(announcement.failure, after)
  if (before?.kind === 'standby' || after?.kind === 'standby') return []
  if (announcement.start !== undefined && after !== undefined)
    return [readyStart(announcement.start, after, now)]
  if (before === undefined) return []
  if (announcement.phase === 'frozen') return [{ ...about(before), type: 'freeze', reason: 'idle' }]
  return [
    ...(isStart(before) && hasEnded(after) ? cancelledStart(before, after, now) : []),
    ...(isUp(before) && hasEnded(after) ? [stop(before, after, now)] : []),
    ...removal(before, after),
  ]
}

function about({ owner, template, name }: Workspace) {
  return { person: owner?.name, template, workspace: name }
}

/** Of a workspace that several people share: the person who came first. */
function aboutStart(workspace: Workspace) {
  const first = [...workspace.seats].sort((a, b) => a.ticket - b.ticket)[0]
  return { ...about(workspace), person: workspace.owner?.name ?? first?.person.name }
}

function readyStart(
  { kind, ms }: NonNullable<Moved['announcement']['start']>,
  workspace: Workspace,
  now: number,
): NewEntry {
  const entry = { ...aboutStart(workspace), type: 'start', start: kind, outcome: 'ready' } as const
  if (kind === 'frozen')
    return { ...entry, waitedMs: 0, tookMs: Math.round(ms), steps: { thawing: Math.round(ms) } }
  return { ...entry, ...timesOf(workspace, now) }
}

function failedStart(
  failure: Moved['announcement']['failure'],
  workspace: Workspace | undefined,
): readonly NewEntry[] {
  // One that was ready before is a stop, and was entered as such.
  if (workspace === undefined || workspace.milestones[0]?.phase !== 'queued') return []
  const way = upTo(workspace, 'stopping')
  if (way.some(({ phase }) => phase === 'ready')) return []
  const endedAt = workspace.milestones.find(({ phase }) => phase === 'stopping')?.at
  const { code, detail, exitCode } = failure ?? {}
  return [
    {
      ...aboutStart(workspace),
      type: 'start',
      start: startOf(workspace)?.kind,
      outcome: 'failed',
      reason: code,
      detail,
      exitCode,
      ...timesOf(workspace, endedAt ?? workspace.phaseSince),
    },
  ]
}

function cancelledStart(
  before: Workspace,
  after: Workspace | undefined,
  now: number,
): readonly NewEntry[] {
  // Its entry follows when all is known of the failure.
  if (after?.stopReason === 'failed') return []
  const isQueued = before.phase === 'queued'
  return [
    {
      ...aboutStart(before),
      type: 'start',
      start: startOf(before)?.kind,
      outcome: 'cancelled',
      reason: (isQueued ? 'left_queue' : (after?.stopReason ?? 'vanished')) satisfies EndReason,
      ...timesOf(before, now),
    },
  ]
}

/** The times of a start that ended at that moment. */
function timesOf(
  workspace: Workspace,
  endedAt: number,
): Pick<Entry, 'waitedMs' | 'tookMs' | 'steps'> {
  const way = upTo(workspace, 'stopping', 'ready')
  const first = way[0]
  const { queued = 0, ...spent } = durations([...way, { phase: 'ready', at: endedAt }])
  // A restart is asked for before the stop that comes first.
  const stopping = first === undefined ? 0 : Math.round(first.at - workspace.requestedAt)
  return {
    waitedMs: queued,
    tookMs: Math.round(endedAt - workspace.requestedAt),
    steps: { ...(stopping > 0 ? { stopping } : {}), ...spent },
  }
}

function upTo({ milestones }: Workspace, ...ends: readonly Workspace['phase'][]) {
  const at = milestones.findIndex(({ phase }) => ends.includes(phase))
  return at < 0 ? milestones : milestones.slice(0, at)
}

function stop(before: Workspace, after: Workspace | undefined, now: number): NewEntry {
  const since = before.servesSince ?? before.container?.startedAt
  const isFailed = after?.stopReason === 'failed'
  return {
    ...about(before),
    type: 'stop',
    reason: stopReason(after),
    ...(isFailed ? { detail: after.failure?.detail } : {}),
    ...(after?.phase === 'stopped' ? { exitCode: after.container?.exitCode } : {}),
    ...(since === undefined ? {} : { ranMs: Math.max(0, Math.round(now - since)) }),
  }
}

function stopReason(after: Workspace | undefined): EndReason {
  if (after === undefined || after.phase === 'queued') return 'vanished'
  if (after.stopReason !== undefined) return after.stopReason
  return after.container?.outOfMemory === true ? 'out_of_memory' : 'ended'
}

/** What a start or a restart removes is part of it. */
const ofStarts: ReadonlySet<EndReason> = new Set(['failed', 'cancelled', 'replaced'])

function removal(before: Workspace, after: Workspace | undefined): readonly NewEntry[] {
  if (before.container === undefined || after?.container !== undefined) return []
  if (before.phase !== 'stopped' && before.phase !== 'stopping') return []
  if (after !== undefined && after.phase !== 'stopped') return []
  const reason: EndReason =
    before.phase === 'stopping'
      ? (before.stopReason ?? 'cleared')
      : before.pending?.step === 'remove'
        ? 'cleared'
        : 'vanished'
  return ofStarts.has(reason) ? [] : [{ ...about(before), type: 'removal', reason }]
}

/** It was asked for, and has not been ready since. */
function isStart(workspace: Workspace): boolean {
  const { phase, servesSince, milestones } = workspace
  if (servesSince !== undefined || milestones[0]?.phase !== 'queued') return false
  return phase === 'queued' || isStarting(workspace)
}

function isUp(workspace: Workspace): boolean {
  if (workspace.phase === 'ready' || workspace.phase === 'frozen') return true
  // It is only looked for again: it was ready, or was found running after a restart of the spawner.
  return isStarting(workspace) && !isStart(workspace)
}

function hasEnded(after: Workspace | undefined): boolean {
  if (after === undefined || after.phase === 'queued') return true
  return after.phase === 'stopping' || after.phase === 'stopped' || shownPhase(after) === 'absent'
}
