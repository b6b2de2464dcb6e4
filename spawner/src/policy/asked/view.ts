// What pages show of a workspace, and whether any of that changed between two states.
import { wallText } from '@berth/shared/clock'
import type { Person, WorkspaceStatus } from '@berth/shared/contract'
import { isGuestName, type WorkspaceName } from '@berth/shared/names'
import { problemTitle } from '@berth/shared/problems'
import { accessOf, refusalToStart, type Allowed } from './access.ts'
import { hasCancelled } from './cancels.ts'
import type { Failure, Milestone, Refusal, State, Workspace } from '../domain.ts'
import { lifetimeEndsAt } from '../state/deadlines.ts'
import { keepsFiles, type Template } from '../../templates/template.ts'
import { extensionOf } from '../lifecycle/end-of-life.ts'
import { estimateMs } from './estimates.ts'
import { failures } from '../lifecycle/failures.ts'
import { isFreezing } from '../lifecycle/freezing.ts'
import { positionOf } from '../queue/order.ts'
import { isStarting, shownPhase } from '../state/phases.ts'
import { seatIn } from '../seats/seat-table.ts'
import { waitsFor } from '../queue/limits.ts'
import { isOutdated } from '../lifecycle/outdated.ts'

export interface View {
  readonly status: WorkspaceStatus
  readonly title: string
  readonly pullPercent?: number
  readonly milestones: readonly Milestone[]
  readonly failure?: Failure
  /** The workspace was stopped at the end of its lifetime and has not been started again. */
  readonly ended: boolean
  /** It ended by itself, and the kernel had killed a process in it for memory. */
  readonly outOfMemory?: boolean
  /** The workspace is being stopped and does not start again after that. */
  readonly leaves?: boolean
  /** A person has stopped it or left the queue, and nobody has asked for a start since. */
  readonly cancelled?: boolean
  /** What becomes of a workspace that is not in use, and after which time; 0 is never. */
  readonly idle?: { readonly freezeMs: number; readonly stopMs: number }
  /** The person is its only owner, and may stop and restart it. */
  readonly owned?: boolean
  /** How long ago this person last used it, as far as directors have told. Set while it runs. */
  readonly lastUseAgoMs?: number
  /** It has a home, or another volume of the person. */
  readonly keepsFiles?: boolean
  /** The present time, on the clock of the milestones. */
  readonly now: number
  /** Set if this person may not have the workspace at all. */
  readonly refusal?: Refusal
  /** Its end was announced. */
  readonly endWarned?: boolean
  /** What a page shows of a template before a start. */
  readonly offer?: {
    readonly description: string
    readonly icon: string
    readonly byClick: boolean
  }
}

interface Times {
  readonly now: number
  /** What the wall clock said at the moment 0 of our clock, for times that people read. */
  readonly wallStart: number
}

/** @param wallStart milliseconds since 1970 at the moment 0 of our clock, for times that people read */
export function viewOf(
  state: State,
  person: Person,
  templateName: string,
  now: number,
  wallStart = 0,
  only?: WorkspaceName,
): View {
  const access = accessOf(state, person, templateName, only)
  if (!access.ok) return refusedView(state, templateName, now, access.refusal)
  const workspace = access.name === undefined ? undefined : state.workspaces.get(access.name)
  if (workspace === undefined || shownPhase(workspace) === 'absent')
    return absentView(state, person, access, now, workspace)
  const seat = isServed(workspace) ? seatIn(workspace, person.name) : undefined
  return {
    ...presentView(state, access, workspace, { now, wallStart }),
    keepsFiles: keepsFiles(access.template) && !isGuestName(person.name),
    ...(seat === undefined ? {} : { lastUseAgoMs: now - seat.lastUseAt }),
  }
}

function refusedView(state: State, template: string, now: number, refusal: Refusal): View {
  return {
    status: {
      template,
      workspace: '',
      phase: 'absent',
      elapsedMs: 0,
      problem: problemOf(refusal.failure),
    },
    title: state.config.templates.get(template)?.title ?? template,
    milestones: [],
    ended: false,
    now,
    refusal,
  }
}

function absentView(
  state: State,
  person: Person,
  { template, name }: Allowed,
  now: number,
  left: Workspace | undefined,
): View {
  const { maxQueue } = state.config.limits
  const isFull = maxQueue > 0 && state.queue.length >= maxQueue
  const refusal =
    refusalToStart(state, person, template.name, name) ??
    (isFull ? { failure: failures.queueFull, limit: maxQueue } : undefined)
  const failure = state.engine.reachable ? undefined : failures.engineAway
  const problem = refusal?.failure ?? failure
  return {
    status: {
      template: template.name,
      workspace: name ?? '',
      phase: 'absent',
      elapsedMs: 0,
      ...(problem === undefined ? {} : { problem: problemOf(problem) }),
    },
    title: template.title,
    offer: offerOf(template),
    milestones: [],
    ended: false,
    ...(left?.cancelledAt !== undefined || hasCancelled(state, template.name, person)
      ? { cancelled: true }
      : {}),
    now,
    ...(failure === undefined ? {} : { failure }),
    ...(refusal === undefined ? {} : { refusal }),
  }
}

function presentView(
  state: State,
  { template }: Allowed,
  workspace: Workspace,
  times: Times,
): View {
  const failure = failureOf(state, workspace)
  return {
    status: statusOf(state, workspace, times),
    title: template.title,
    offer: offerOf(template),
    endWarned: workspace.endWarned,
    ...(workspace.pullPercent === undefined ? {} : { pullPercent: workspace.pullPercent }),
    milestones: workspace.milestones,
    ...(failure === undefined ? {} : { failure }),
    ended: workspace.phase === 'stopped' && workspace.stopReason === 'lifetime',
    ...(isOutOfMemory(workspace) ? { outOfMemory: true } : {}),
    leaves: workspace.phase === 'stopping' && !workspace.wanted,
    ...(workspace.cancelledAt !== undefined && !workspace.wanted ? { cancelled: true } : {}),
    idle: { freezeMs: template.policy.idleFreezeMs, stopMs: template.policy.idleStopMs },
    owned: workspace.kind === 'private',
    now: times.now,
  }
}

/** With a reason, it was stopped, whatever had become of a process in it before. */
function isOutOfMemory({ phase, stopReason, container }: Workspace): boolean {
  return phase === 'stopped' && stopReason === undefined && container?.outOfMemory === true
}

function offerOf({ description, icon, policy }: Template): NonNullable<View['offer']> {
  return { description, icon, byClick: policy.startsBy === 'click' }
}

/** The same for every person who asks. */
export function statusOf(
  state: State,
  workspace: Workspace,
  { now, wallStart }: Times,
): WorkspaceStatus {
  const { name, phase } = workspace
  const position = positionOf(state, workspace)
  const waits = waitsFor(state, workspace)
  const etaMs = estimateMs(state, workspace, now)
  const endsAt = lifetimeEndsAt(state.config, workspace)
  const extensionMs = extensionOf(state.config, workspace)
  const failure = failureOf(state, workspace)
  const isAwaited = phase === 'queued' || isStarting(workspace)
  return {
    template: workspace.template,
    workspace: name,
    phase,
    elapsedMs: now - (isAwaited ? workspace.requestedAt : workspace.phaseSince),
    ...(position === undefined ? {} : { position }),
    ...(etaMs === undefined ? {} : { etaMs }),
    ...(isServed(workspace) && Number.isFinite(endsAt)
      ? { endsAt: wallText(wallStart + endsAt) }
      : {}),
    ...(waits === undefined ? {} : { waitsFor: waits }),
    ...(extensionMs === 0 ? {} : { extensionMs }),
    ...(isOutdated(state, workspace) ? { outdated: true } : {}),
    ...(failure === undefined ? {} : { problem: problemOf(failure) }),
  }
}

const isServed = ({ phase }: Workspace): boolean => phase === 'ready' || phase === 'frozen'

function failureOf(state: State, { phase, failure }: Workspace): Failure | undefined {
  if (phase === 'failed') return failure
  return state.engine.reachable || phase === 'ready' ? undefined : failures.engineAway
}

function problemOf({ code, detail }: Failure) {
  return { code, title: problemTitle(code), detail }
}

/** What held requests and pages can notice. Signs of presence and use are not among them: two held requests, each
 * submitted again at every change, would otherwise keep each other busy for ever. */
const noticed = [
  'phase',
  'milestones',
  'pullPercent',
  'requestedAt',
  'container',
  'network',
  'stopReason',
  'failure',
  'endUntold',
  'cancelledAt',
  'extendedMs',
  'endWarned',
] as const satisfies readonly (keyof Workspace)[]

/** Whether an inventory was taken and whether the engine answers are both as before. */
export function isEngineAlike(before: State, after: State): boolean {
  const isLooked = before.reconciledAt !== undefined
  return (
    isLooked === (after.reconciledAt !== undefined) &&
    before.engine.reachable === after.engine.reachable
  )
}

/** Whether nothing changed between two states that held requests and followers of the workspace could notice. */
export function sameFor(before: State, after: State, name: WorkspaceName): boolean {
  const former = before.workspaces.get(name)
  const workspace = after.workspaces.get(name)
  if (former !== workspace) {
    if (former === undefined || workspace === undefined) return false
    if (noticed.some((field) => former[field] !== workspace[field])) return false
  }
  if (isFreezing(former) !== isFreezing(workspace)) return false
  if (!isEngineAlike(before, after)) return false
  if (workspace === undefined) return true
  if (workspace.phase === 'queued') {
    if (before.queue !== after.queue) return false
    if (before.tally !== after.tally && waitsFor(before, workspace) !== waitsFor(after, workspace))
      return false
  }
  const index = workspace.network
  return index === undefined || before.networks.get(index) === after.networks.get(index)
}
