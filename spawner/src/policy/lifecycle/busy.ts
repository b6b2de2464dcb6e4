// A busy workspace is not idle: the application is asked before an idle step, and its answer delays the step within a bound.
import { change, type Draft } from '../state/draft.ts'
import type { DirectorId, Event, Veto, Workspace } from '../domain.ts'
import { addressOf } from '../state/address.ts'
import { idleAt, policyOf } from '../state/deadlines.ts'
import { idleRestMs } from './freezing.ts'
import { networkOf } from '../networks.ts'

type Answer<T extends Event['type']> = Extract<Event, { type: T }>
type Question = NonNullable<Veto['question']>

/** How long a director has for asking, and how long the question is open. */
const askForMs = 8_000
const openForMs = 10_000
/** How long an application that cannot be asked counts as busy if the template sets no bound. */
const silentAtMostMs = 3_600_000

/** Whether an idle step that is due has to wait: for an answer, or because the answer was that it is busy. */
export function isVetoed(draft: Draft, workspace: Workspace, step: 'freeze' | 'stop'): boolean {
  const policy = policyOf(draft.config, workspace)
  if (policy.activityPath === '' && policy.busyCpuPercent === 0) return false
  const stepMs = step === 'freeze' ? policy.idleFreezeMs : policy.idleStopMs
  const dueAt = workspace.lastUseAt + stepMs
  const bound = (ms: number) => (ms === 0 ? Number.POSITIVE_INFINITY : dueAt + ms)
  const endsAt = bound(policy.busyAtMostMs)
  if (endsAt <= draft.now) return false
  if (wasIdle(draft, workspace)) return false
  const question = workspace.veto?.question ?? ask(draft, workspace, endsAt)
  const verdict = verdictOf(draft, question)
  if (verdict === 'open') {
    if (workspace.veto?.question !== question) change(draft, workspace, { veto: { question } })
    return true
  }
  const boundMs = policy.busyAtMostMs || (verdict === 'silent' ? silentAtMostMs : 0)
  const until = Math.min(draft.now + idleRestMs(draft, workspace), bound(boundMs))
  const isBusy = verdict !== 'idle' && until > draft.now
  change(draft, workspace, { veto: isBusy ? { busyUntil: until } : { idleSince: draft.now } })
  return isBusy
}

/** It was used, or was active: the answer is not needed any more. */
export function withdrawQuestion(draft: Draft, workspace: Workspace): void {
  if (workspace.veto?.question !== undefined) change(draft, workspace, { veto: undefined })
}

/** Whether an answer is still to come: requests that a page sends by itself wait for it. */
export function isAsked({ veto }: Workspace, now: number): boolean {
  return veto?.question !== undefined && veto.question.until > now
}

/** The application is not asked again at once after a step that failed, nor while leases of before the answer last. */
function wasIdle(draft: Draft, workspace: Workspace): boolean {
  const idleSince = workspace.veto?.idleSince
  if (idleSince === undefined) return false
  if (draft.now < idleSince + idleRestMs(draft, workspace)) return true
  return workspace.leasedUntil > draft.now && idleAt(draft.config, workspace) <= idleSince
}

function verdictOf(draft: Draft, question: Question): 'open' | 'busy' | 'idle' | 'silent' {
  const answers = [question.activity, question.cpu]
  if (answers.includes('busy')) return 'busy'
  if (answers.includes('asked') && question.until > draft.now) return 'open'
  return answers.includes('asked') || answers.includes('silent') ? 'silent' : 'idle'
}

function ask(draft: Draft, workspace: Workspace, endsAt: number): Question {
  const { activityPath, busyCpuPercent } = policyOf(draft.config, workspace)
  return {
    until: Math.min(draft.now + openForMs, endsAt),
    ...(activityPath === '' ? {} : { activity: askActivity(draft, workspace, activityPath) }),
    ...(busyCpuPercent === 0 ? {} : { cpu: measureCpu(draft, workspace) }),
  }
}

function askActivity(draft: Draft, workspace: Workspace, path: string): 'asked' | 'silent' {
  const { name, container } = workspace
  const address = addressOf(draft.config, workspace)
  const director = reachingDirector(draft, workspace)
  if (director === undefined || container === undefined || address === undefined) return 'silent'
  draft.steps.push({
    type: 'check-activity',
    director,
    workspace: name,
    generation: container.generation,
    address,
    path,
    deadlineMs: askForMs,
  })
  return 'asked'
}

function reachingDirector(draft: Draft, workspace: Workspace): DirectorId | undefined {
  const attached = networkOf(draft, workspace)?.attached ?? []
  return attached.find((id) => draft.directors.get(id)?.connected === true)
}

function measureCpu(draft: Draft, { name, container }: Workspace): 'asked' | 'silent' {
  if (container === undefined) return 'silent'
  const { generation } = container
  draft.steps.push({ type: 'measure-cpu', workspace: name, generation })
  return 'asked'
}

export function noteActivity(draft: Draft, event: Answer<'activity-answered'>): void {
  const { busy, lastActivityAgoMs: agoMs } = event
  const answered = answer(draft, event, 'activity', () => {
    if (busy === true) return 'busy'
    return busy === undefined && agoMs === undefined ? 'silent' : 'idle'
  })
  if (answered === undefined) return
  const { finding, status } = event
  const workspace = change(draft, answered, {
    activityMet: finding && { finding, ...(status === undefined ? {} : { status }) },
  })
  if (agoMs === undefined) return
  const { busyAtMostMs } = policyOf(draft.config, workspace)
  const activeAt = draft.now - Math.max(0, agoMs)
  const atMost = busyAtMostMs === 0 ? activeAt : workspace.lastUseAt + busyAtMostMs
  change(draft, workspace, { activeAt: Math.min(activeAt, atMost) })
}

export function noteCpu(draft: Draft, event: Answer<'cpu-measured'>): void {
  answer(draft, event, 'cpu', (workspace) => {
    if (event.percent === undefined) return 'silent'
    return event.percent > policyOf(draft.config, workspace).busyCpuPercent ? 'busy' : 'idle'
  })
}

/** @returns the workspace, if the application was asked that */
function answer(
  draft: Draft,
  event: Answer<'activity-answered'> | Answer<'cpu-measured'>,
  way: 'activity' | 'cpu',
  told: (workspace: Workspace) => 'busy' | 'idle' | 'silent',
): Workspace | undefined {
  const workspace = draft.workspaces.get(event.workspace)
  const question = workspace?.veto?.question
  if (workspace?.container?.generation !== event.generation) return undefined
  if (question?.[way] !== 'asked') return undefined
  return change(draft, workspace, {
    veto: { question: { ...question, [way]: told(workspace) } },
  })
}
