// The transitions of a workspace: queued, ready, stopped, failed, gone. Callers decide when one takes place.
import { change, depart, drop, enter, withContainer, type Draft } from '../state/draft.ts'
import type { Failure, Measured, StopReason, Workspace } from '../domain.ts'
import { absentAt, policyOf } from '../state/deadlines.ts'
import { isStarting, isUp } from '../state/phases.ts'

const measuresKept = 20

/** A person waits for it, as far as is known. */
export function isAwaited(draft: Draft, workspace: Workspace): boolean {
  return workspace.wanted || absentAt(draft.config, workspace) > draft.now
}

/** Puts a workspace behind all that were asked for before. `ticket`: the place in the order that it already has. */
export function enqueue(
  draft: Draft,
  workspace: Workspace,
  kept: { readonly ticket?: number; readonly requestedAt?: number } = {},
): Workspace {
  return enter(draft, { ...workspace, milestones: [] }, 'queued', {
    requestedAt: kept.requestedAt ?? draft.now,
    ticket: kept.ticket ?? draft.nextTicket++,
    wanted: false,
    failure: undefined,
    stopReason: undefined,
    cancelledAt: undefined,
    endUntold: false,
    servesSince: undefined,
    diedAt: undefined,
    readyBy: undefined,
    met: undefined,
    activityMet: undefined,
    probed: [],
    extendedMs: 0,
    endWarned: false,
    endsNotBefore: undefined,
  })
}

/** No person waits for it any more: it is stopped, as before the request. */
export function leaveQueue(
  draft: Draft,
  workspace: Workspace,
  patch: Partial<Workspace> = {},
): void {
  enter(draft, workspace, 'stopped', { wanted: false, seats: [], ...patch })
}

/** Records how long the thaw that a person waited for took. */
export function measureThaw(draft: Draft, workspace: Workspace): void {
  const { thawRequestedAt } = workspace
  if (thawRequestedAt !== undefined) note(draft, workspace, 'frozenMs', draft.now - thawRequestedAt)
}

export function becomeReady(draft: Draft, workspace: Workspace): void {
  const first = workspace.servesSince === undefined
  if (first) measureStart(draft, workspace)
  enter(draft, workspace, 'ready', {
    readyBy: undefined,
    probed: [],
    servesSince: workspace.servesSince ?? draft.now,
    lastUseAt: first ? Math.max(workspace.lastUseAt, draft.now) : workspace.lastUseAt,
  })
}

/** A standby is ready for its owner, whichever director reached it before. */
export function becomeTheirs(draft: Draft, workspace: Workspace): Workspace {
  const ready = enter(draft, workspace, 'ready', { servesSince: draft.now, lastUseAt: draft.now })
  measureStart(draft, ready)
  return ready
}

/** A director could not reach it: it has to be probed again before any request is sent there. */
export function probeAgain(draft: Draft, workspace: Workspace): void {
  enter(draft, workspace, 'probing', {
    readyBy: draft.now + policyOf(draft.config, workspace).startTimeoutMs,
    met: undefined,
    probed: [],
  })
}

/** The way out of every phase that has, or may have, something on the engine. */
export function stop(
  draft: Draft,
  workspace: Workspace,
  reason: StopReason,
  patch: Partial<Workspace> = {},
): Workspace {
  measureStay(draft, workspace)
  const { container } = workspace
  if (isUp(container))
    draft.steps.push({
      type: 'revoke',
      workspace: workspace.name,
      generation: container.generation,
      reason,
    })
  return enter(draft, workspace, 'stopping', {
    stopReason: reason,
    failure: undefined,
    readyBy: undefined,
    probed: [],
    servesSince: undefined,
    seats: keepsSeats(workspace, reason, patch) ? workspace.seats : [],
    ...patch,
  })
}

/** The seats end with the run, unless it is started again or the people who had the seats are to be told why it ended. */
function keepsSeats(
  { kind }: Workspace,
  reason: StopReason,
  { wanted = false }: Partial<Workspace>,
): boolean {
  return wanted || reason === 'failed' || (reason === 'lifetime' && kind === 'shared')
}

export function fail(draft: Draft, workspace: Workspace, failure: Failure): Workspace {
  return stop(draft, workspace, 'failed', { failure, wanted: false })
}

/** The person who waited cancels the start. */
export function cancelStart(draft: Draft, workspace: Workspace): void {
  const cancelled = { cancelledAt: draft.now, wanted: false }
  if (workspace.phase === 'queued') return leaveQueue(draft, workspace, cancelled)
  if (workspace.phase === 'stopping') return void change(draft, workspace, cancelled)
  if (!isStarting(workspace) || workspace.servesSince !== undefined) return
  // What a pull fetches is not lost, and nothing of it has to be undone.
  const pending = workspace.pending?.step === 'pull' ? undefined : workspace.pending
  stop(draft, workspace, 'cancelled', { ...cancelled, pending })
}

/** The engine failed at a step of a start: the step is tried again after a pause, until the start timeout. */
export function tryLater(draft: Draft, workspace: Workspace, failure: Failure): void {
  const { startTimeoutMs } = policyOf(draft.config, workspace)
  const retryUntil = workspace.retryUntil ?? draft.now + startTimeoutMs
  if (draft.now >= retryUntil) return void fail(draft, workspace, failure)
  change(draft, workspace, { retryAt: draft.now + draft.config.retryAfterMs, retryUntil })
}

/** Stopping has come to its end: nothing runs any more, and what had to be removed is removed. */
export function finishStop(draft: Draft, workspace: Workspace): void {
  if (workspace.wanted) {
    // The person who asked for the replacement need not stay on the page for as long as that takes.
    const isAsked = workspace.stopReason === 'replaced'
    const seenAt = draft.now
    const seats = workspace.seats.map((seat) => ({ ...seat, seenAt }))
    enqueue(draft, isAsked ? { ...workspace, seenAt, seats } : workspace, workspace)
    return
  }
  const network = workspace.container === undefined ? undefined : workspace.network
  const endUntold = workspace.stopReason === 'lifetime'
  const phase = workspace.stopReason === 'failed' ? 'failed' : 'stopped'
  enter(draft, workspace, phase, { network, endUntold })
}

/** The container ended by itself. */
export function endByItself(
  draft: Draft,
  workspace: Workspace,
  exitCode: number | undefined,
): Workspace {
  measureStay(draft, workspace)
  const ended = { ...workspace, container: exited(workspace, exitCode) }
  const generation = workspace.container?.generation
  if (generation !== undefined)
    draft.steps.push({ type: 'revoke', workspace: workspace.name, generation })
  return enter(draft, ended, 'stopped', {
    readyBy: undefined,
    probed: [],
    servesSince: undefined,
    stopReason: undefined,
  })
}

/** The container is gone from the engine without our doing. */
export function vanish(draft: Draft, workspace: Workspace): void {
  depart(draft, workspace.container)
  const bare = change(draft, workspace, { container: undefined, changedAt: draft.now })
  if (bare.phase === 'stopping' || bare.phase === 'queued' || bare.phase === 'stopped') return
  measureStay(draft, bare)
  if (isStarting(bare) && isAwaited(draft, bare)) {
    enqueue(draft, bare, bare)
    return
  }
  drop(draft, bare)
}

export function exited(workspace: Workspace, exitCode: number | undefined) {
  return withContainer(workspace, {
    status: 'exited',
    ...(exitCode === undefined ? {} : { exitCode }),
  })
}

/** From the place taken to ready; `undefined` for one that was found running. */
export function startOf(
  workspace: Workspace,
): { readonly kind: 'cold' | 'stopped' | 'standby'; readonly from: number } | undefined {
  const [first, second] = workspace.milestones
  // What stood by is ready at once.
  if (first?.phase === 'queued' && second?.phase === 'ready')
    return { kind: 'standby', from: first.at }
  const place = workspace.milestones.find((milestone) => milestone.phase !== 'queued')
  if (place?.phase === 'pulling') return { kind: 'cold', from: place.at }
  if (place?.phase === 'starting') return { kind: 'stopped', from: place.at }
  return undefined
}

function measureStart(draft: Draft, workspace: Workspace): void {
  const start = startOf(workspace)
  if (start === undefined) return
  const { kind, from } = start
  const what = ({ cold: 'coldMs', stopped: 'stoppedMs', standby: 'standbyMs' } as const)[kind]
  note(draft, workspace, what, draft.now - from)
}

function measureStay(draft: Draft, workspace: Workspace): void {
  if (workspace.servesSince === undefined || workspace.kind === 'standby') return
  note(draft, workspace, 'staysMs', draft.now - workspace.servesSince)
}

const nothingMeasured: Measured = {
  coldMs: [],
  standbyMs: [],
  frozenMs: [],
  stoppedMs: [],
  staysMs: [],
}

/** Of templates that are offered only, so that the number of measurements is bounded. */
function note(
  draft: Draft,
  { template }: { readonly template: string },
  what: keyof Measured,
  ms: number,
): void {
  const { templates } = draft.config
  const known = draft.measured.get(template) ?? nothingMeasured
  const kept = { ...known, [what]: [...known[what], ms].slice(-measuresKept) }
  draft.measured = new Map(
    [...draft.measured, [template, kept] as const].filter(([name]) => templates.has(name)),
  )
}
