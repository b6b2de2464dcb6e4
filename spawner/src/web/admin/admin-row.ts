// What the administrator's page shows of one workspace. Pure. Times are moments, not durations, so that a row changes only
// when something happens.
import type { ShownPhase } from '@berth/shared/contract'
import { statusOf } from '../../policy/asked/view.ts'
import { mayOpenAs } from '../../impersonations.ts'
import type { State, Workspace } from '../../policy/domain.ts'
import type { Moment } from '../api/shown.ts'
import { plainText } from '../http/plain-text.ts'
import { showSteps, type StepPhase } from '../pages/steps.ts'
import { phaseNames } from '../pages/words.ts'
import { cardWords } from '../portal/words.ts'
import { actsOn, type AdminAct } from './acts.ts'
import { waitText } from './waits.ts'

export interface AdminRow {
  /** The name of the workspace. */
  readonly id: string
  /** The owner, or everybody who has a seat. */
  readonly people: readonly string[]
  /** Stands for the people of a workspace that has none. */
  readonly nobody: string
  readonly template: string
  readonly title: string
  readonly phase: ShownPhase
  /** The phase as the filter has it. */
  readonly state: string
  /** The state in one or two words. */
  readonly label: string
  /** What it waits for, or why it failed. */
  readonly says: string
  /** Since when it runs; of one that does not run, since when it is in its state. */
  readonly since: string
  readonly lastUse?: string
  /** The steps of the last start that took time. */
  readonly steps: readonly RowStep[]
  readonly acts: readonly AdminAct[]
  /** It can be opened as its owner, where that is allowed. */
  readonly mayOpenAs: boolean
  /** Its container. */
  readonly generation?: string
}

export interface RowStep {
  readonly phase: StepPhase
  /** Absent: it is under way, or it failed. */
  readonly ms?: number
  readonly failed?: true
}

export function adminRow(state: State, workspace: Workspace, moment: Moment): AdminRow {
  const { name, template, kind, container } = workspace
  const status = statusOf(state, workspace, moment)
  const at = (time: number, unitMs = 1_000): string =>
    new Date(Math.round((moment.wallStart + time) / unitMs) * unitMs).toISOString()
  const isUp = workspace.phase === 'ready' || workspace.phase === 'frozen'
  const since = (isUp ? container?.startedAt : undefined) ?? workspace.phaseSince
  return {
    id: name,
    people: peopleOf(workspace).map((one) => plainText(one, 100)),
    nobody: kind === 'standby' ? 'in reserve' : 'nobody',
    template,
    title: plainText(state.config.templates.get(template)?.title ?? template, 100),
    phase: workspace.phase,
    state: phaseNames[workspace.phase],
    ...wordsOf(workspace, status),
    since: at(since),
    ...(isUp && kind !== 'standby' ? { lastUse: at(workspace.lastUseAt, 60_000) } : {}),
    steps: stepsOf(workspace, moment.now),
    acts: actsOn(workspace),
    mayOpenAs: mayOpenAs(workspace),
    ...(container === undefined ? {} : { generation: container.generation }),
  }
}

function peopleOf({ owner, seats }: Workspace): readonly string[] {
  return owner === undefined ? seats.map(({ person }) => person.name) : [owner.name]
}

function wordsOf(
  { kind, phase, wanted, pullPercent }: Workspace,
  { position, waitsFor, problem }: ReturnType<typeof statusOf>,
): Pick<AdminRow, 'label' | 'says'> {
  const percent = phase === 'pulling' ? pullPercent : undefined
  const shown = {
    phase,
    ...(position === undefined ? {} : { position }),
    ...(percent === undefined ? {} : { pullPercent: Math.round(percent) }),
  }
  const { label } = cardWords(
    { template: '', workspace: '', elapsedMs: 0, steps: [], ...shown },
    {
      ended: false,
      wanted,
    },
  )
  const waits = phase === 'queued' ? waitText(waitsFor) : ''
  const fails = problem === undefined ? '' : `${problem.title}. ${plainText(problem.detail, 300)}`
  return {
    label: kind === 'standby' && phase === 'ready' ? 'Standing by' : label,
    says: waits || fails,
  }
}

/** What took no time is left out, and so is what was not needed. */
function stepsOf({ phase, milestones }: Workspace, now: number): readonly RowStep[] {
  const reached = isPast.has(phase) ? 'ready' : phase
  return showSteps(reached, milestones, now).flatMap(({ phase: step, state, ms }): RowStep[] => {
    if (state === 'now') return [{ phase: step }]
    if (state === 'failed') return [{ phase: step, failed: true }]
    return state === 'done' && ms !== undefined && ms >= 50 ? [{ phase: step, ms }] : []
  })
}

/** The start is over, so its steps are done. */
const isPast: ReadonlySet<ShownPhase> = new Set(['ready', 'frozen', 'stopping', 'stopped'])
