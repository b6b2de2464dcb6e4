// What the portal shows of one template, and of the person's workspace of it. Pure; the HTML is in `views/`.
import type { Person, ShownPhase } from '@berth/shared/contract'
import { problemTitle } from '@berth/shared/problems'
import type { HomeSize, WorkspaceView } from '../../loop/workspaces.ts'
import { isTheirsAlone } from '../../policy/asked/theirs.ts'
import { statusOf } from '../../policy/asked/view.ts'
import type { Told } from '../../impersonations.ts'
import type { State, Workspace } from '../../policy/domain.ts'
import { changedParts, outdatedBy } from '../../policy/lifecycle/outdated.ts'
import { idleStepsAt, idleStopAt } from '../../policy/state/deadlines.ts'
import { urlOf } from '../../templates/address.ts'
import { isShared, keepsFiles, type Template } from '../../templates/template.ts'
import type { Moment } from '../api/shown.ts'
import { plainLog, plainText } from '../http/plain-text.ts'
import { longText } from '../pages/durations.ts'
import { openedText } from '../pages/opened-text.ts'
import { showStatus, type ShownStatus } from '../pages/status.ts'
import { sshCommand, type SshAddress } from '../../ssh/ssh-address.ts'
import { sizeText } from './size-text.ts'
import { adviceFor } from '../pages/words.ts'
import {
  cardWords,
  endingWords,
  factNames,
  sharedWords,
  tryAnywayCodes,
  updateWords,
  wayWords,
} from './words.ts'

export interface Card {
  /** The name of the template; of a workspace whose template is not offered any more, the name of the workspace. */
  readonly id: string
  readonly title: string
  readonly description: string
  /** A data URL: the portal loads no picture from another origin. */
  readonly icon?: string
  readonly workspace: string
  readonly phase: ShownPhase
  readonly label: string
  readonly says: string
  readonly percent?: number
  readonly facts: readonly CardFact[]
  readonly update?: string
  /** An administrator has opened it. */
  readonly opened?: string
  /** Without a title, the detail says it all. */
  readonly problem?: { readonly title?: string; readonly detail: string }
  readonly failure?: CardFailure
  readonly opens?: string
  /** What a person types to get in by SSH. */
  readonly command?: string
  readonly acts: readonly Act[]
  /** What stopping costs. */
  readonly ending?: string
  readonly hasLog: boolean
}

export type CardFact =
  | { readonly name: string; readonly text: string }
  /** A moment in the future, shown as the time left. */
  | { readonly name: string; readonly left: string }
  | { readonly name: string; readonly at: string }
  /** `text` is what was known at `at`. `act`: a button that brings it, or brings it again. */
  | { readonly name: string; readonly text?: string; readonly at?: string; readonly act?: Act }

export interface CardFailure {
  readonly exitCode?: number
  readonly log: readonly string[]
  readonly advice: readonly string[]
}

export interface Act {
  readonly name: ActName
  readonly label: string
  readonly main: boolean
}

export type ActName = 'start' | 'stop' | 'restart' | 'extend' | 'measure'

const mostLogLines = 15
const pictures = /^data:image\/(?:png|svg\+xml|jpeg|gif|webp)[;,]/
const longestPicture = 8 * 1024

interface Surroundings {
  readonly state: State
  readonly person: Person
  readonly moment: Moment
  readonly homeSize: (person: Person, template: Template) => HomeSize | undefined
  /** Where people reach SSH, if that is known. */
  readonly sshAddress?: SshAddress | undefined
  /** An administrator has opened the workspace as that person. */
  readonly opened: (workspace: string) => Told | undefined
}

/** The card of a template that is offered to the person. */
export function cardOf(template: Template, view: WorkspaceView, around: Surroundings): Card {
  const { state, person } = around
  const status = showStatus(view)
  const workspace = state.workspaces.get(status.workspace as Workspace['name'])
  const present = status.phase === 'absent' ? undefined : workspace
  const isAlone =
    present === undefined ? !isShared(template) : isTheirsAlone(state, present, person)
  const words = cardWords(status, {
    ended: view.ended,
    outOfMemory: view.outOfMemory,
    wanted: present?.wanted === true,
  })
  const update =
    present && isAlone && isRunning(status.phase) ? outdatedBy(state, present) : undefined
  const problem = problemOf(view, status)
  const url = urlOf(template)
  const mayTry = view.refusal === undefined || tryAnywayCodes.has(view.refusal.failure.code)
  const acts = actsOf(status, { isAlone, isOutdated: update !== undefined, mayTry })
  const endsIt = acts.some(({ name }) => name === 'stop' || name === 'restart')
  return {
    id: template.name,
    title: plainText(template.title, 100),
    description: plainText(template.description),
    ...(isPicture(template.icon) ? { icon: template.icon } : {}),
    workspace: status.workspace,
    phase: status.phase,
    label: words.label,
    says: [words.says, ...unknownWay(template, around)].filter((one) => one !== '').join(' '),
    ...(status.pullPercent === undefined ? {} : { percent: status.pullPercent }),
    facts: [
      ...(present === undefined ? [] : factsOf(present, status, around)),
      ...homeFact(isShared(template) ? undefined : around.homeSize(person, template)),
    ],
    ...(present === undefined || update === undefined
      ? {}
      : { update: updateWords(update, changedParts(state, present)) }),
    ...openedFact(status.workspace, around),
    ...(problem === undefined ? {} : { problem }),
    ...(status.phase === 'failed' ? { failure: failureOf(view) } : {}),
    ...(url === undefined || !mayTry || status.phase === 'failed' ? {} : { opens: url }),
    ...(mayTry ? commandOf(template, around) : {}),
    acts,
    ...(isRunning(status.phase) && !isAlone ? { ending: sharedWords } : {}),
    ...(isRunning(status.phase) && endsIt
      ? { ending: keepsFiles(template) ? endingWords.kept : endingWords.lost }
      : {}),
    hasLog: isAlone && present?.container !== undefined,
  }
}

function commandOf(
  { name, ssh }: Template,
  { person, sshAddress }: Surroundings,
): Pick<Card, 'command'> {
  if (ssh === undefined || sshAddress === undefined) return {}
  return { command: sshCommand(person.name, name, sshAddress) }
}

/** A card without any way in says so. */
function unknownWay({ kind }: Template, { sshAddress }: Surroundings): readonly string[] {
  return kind === 'ssh' && sshAddress === undefined ? [wayWords.bySsh] : []
}

/** The card of a workspace whose template is not offered to the person any more: it can only be stopped. */
export function formerCardOf(workspace: Workspace, around: Surroundings): Card {
  const { state, person, moment } = around
  const { name, template, phase } = workspace
  const status: ShownStatus = { ...statusOf(state, workspace, moment), steps: [] }
  const words = cardWords(status, { ended: false, wanted: workspace.wanted })
  const isAlone = isTheirsAlone(state, workspace, person)
  const holds = phase !== 'stopped' && phase !== 'failed' && phase !== 'stopping'
  return {
    id: name,
    title: plainText(state.config.templates.get(template)?.title ?? template, 100),
    description: 'This is not offered to you any more.',
    workspace: name,
    phase,
    label: words.label,
    says: words.says,
    facts: factsOf(workspace, status, around),
    ...openedFact(name, around),
    acts: isAlone && holds ? [{ name: 'stop', label: 'Stop', main: false }] : [],
    hasLog: isAlone && workspace.container !== undefined,
  }
}

function openedFact(workspace: string, { opened, moment }: Surroundings): Pick<Card, 'opened'> {
  const text = openedText(opened(workspace), moment.wallStart + moment.now)
  return text === undefined ? {} : { opened: text }
}

function isPicture(icon: string): boolean {
  return pictures.test(icon) && icon.length <= longestPicture
}

const isRunning = (phase: ShownPhase): boolean => phase === 'ready' || phase === 'frozen'

function actsOf(
  { phase, extensionMs }: ShownStatus,
  may: { readonly isAlone: boolean; readonly isOutdated: boolean; readonly mayTry: boolean },
): readonly Act[] {
  switch (phase) {
    case 'absent':
    case 'stopped':
      return may.mayTry ? [{ name: 'start', label: 'Start', main: true }] : []
    case 'failed':
      return [{ name: 'start', label: 'Try again', main: true }]
    case 'queued':
      return may.isAlone ? [{ name: 'stop', label: 'Leave the queue', main: false }] : []
    case 'pulling':
    case 'creating':
    case 'starting':
    case 'probing':
      return may.isAlone ? [{ name: 'stop', label: 'Cancel', main: false }] : []
    case 'ready':
    case 'frozen':
      return [
        ...(extensionMs === undefined
          ? []
          : [
              { name: 'extend', label: `Extend by ${longText(extensionMs)}`, main: false } as const,
            ]),
        ...(may.isAlone
          ? ([
              {
                name: 'restart',
                label: may.isOutdated ? 'Restart to update' : 'Restart',
                main: false,
              },
              { name: 'stop', label: 'Stop', main: false },
            ] as const)
          : []),
      ]
    case 'stopping':
      return []
  }
}

function problemOf(view: WorkspaceView, { phase, problem }: ShownStatus): Card['problem'] {
  if (phase === 'failed') return problem
  const failure = view.refusal?.failure ?? view.failure
  if (failure === undefined) return undefined
  const title = problemTitle(failure.code)
  const detail = plainText(failure.detail)
  return detail.startsWith(title) ? { detail } : { title, detail }
}

function failureOf({ failure }: WorkspaceView): CardFailure {
  const { exitCode, code = 'start_failed', log = [] } = failure ?? {}
  return {
    ...(exitCode === undefined ? {} : { exitCode }),
    log: plainLog(log).slice(-mostLogLines),
    advice: adviceFor({ ...failure, code }),
  }
}

function factsOf(
  workspace: Workspace,
  { phase, endsAt, etaMs }: ShownStatus,
  { state, moment }: Surroundings,
): readonly CardFact[] {
  if (etaMs !== undefined)
    return [
      { name: factNames.expected, left: isoAt(moment.wallStart + moment.now + etaMs, 'minute') },
    ]
  if (!isRunning(phase)) return []
  const startedAt = workspace.container?.startedAt
  const facts: CardFact[] = []
  const wall = (at: number): number => moment.wallStart + at
  if (startedAt !== undefined)
    facts.push({ name: factNames.since, at: isoAt(wall(startedAt), 'second') })
  if (endsAt !== undefined)
    facts.push({ name: factNames.ends, left: isoAt(Date.parse(endsAt), 'second') })
  if (workspace.veto?.busyUntil !== undefined && workspace.veto.busyUntil > moment.now)
    return [...facts, { name: factNames.now, text: 'busy, so it keeps running' }]
  const steps = idleStepsAt(state.config, workspace)
  const pauses = phase === 'ready' ? steps.freeze : Number.POSITIVE_INFINITY
  const stops = phase === 'ready' ? steps.stop : idleStopAt(state.config, workspace)
  for (const [name, at] of [
    [factNames.pauses, pauses],
    [factNames.stops, stops],
  ] as const)
    if (Number.isFinite(at)) facts.push({ name, left: isoAt(wall(at), 'minute') })
  return facts
}

function homeFact(size: HomeSize | undefined): readonly CardFact[] {
  if (size === undefined) return []
  const { bytes, at, isMeasuring, mayMeasure } = size
  const name = factNames.home
  if (isMeasuring) return [{ name, text: 'its size is being computed' }]
  const isKnown = bytes !== undefined && at !== undefined
  if (!isKnown && !mayMeasure) return []
  const label = isKnown ? 'Compute again' : 'Compute its size'
  return [
    {
      name,
      ...(isKnown ? { text: sizeText(bytes), at: isoAt(at, 'second') } : {}),
      ...(mayMeasure ? { act: { name: 'measure', label, main: false } } : {}),
    },
  ]
}

/** The clocks differ by fractions of a second, and each use moves the idle steps: a card should not change for that. */
function isoAt(wallMs: number, to: 'second' | 'minute'): string {
  const unit = to === 'second' ? 1_000 : 60_000
  return new Date(Math.round(wallMs / unit) * unit).toISOString()
}
