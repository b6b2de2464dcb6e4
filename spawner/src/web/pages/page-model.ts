// Which page a person sees for a view of their workspace, and with which words. Pure; the HTML is in `views/`.
import type { ShownPhase } from '@berth/shared/contract'
import { problemStatus, problemTitle, type ProblemCode } from '@berth/shared/problems'
import type { WorkspaceView } from '../../loop/workspaces.ts'
import { plainLog, plainText } from '../http/plain-text.ts'
import type { OwnWorkspace } from '../../policy/asked/own-workspaces.ts'
import { showStatus, type ShownStatus } from './status.ts'
import { longText } from './durations.ts'
import { adviceFor, noticeWords, obstacleAdvice, outOfMemoryWords, wordsFor } from './words.ts'

interface Shown {
  readonly httpStatus: number
  /** With `refreshes`, also the seconds after which a page without script reloads. */
  readonly retryAfterS?: number
  readonly refreshes: boolean
  /** False: no person waits at this page for a start, so its reload must not bring one about. */
  readonly starts?: boolean
  readonly status: ShownStatus
  readonly tab: string
  readonly heading: string
  readonly lead: string
}

export interface LoadingPage extends Shown {
  readonly kind: 'loading'
}

export interface FailurePage extends Shown {
  readonly kind: 'failure'
  readonly code: ProblemCode
  readonly exitCode?: number
  readonly log: readonly string[]
  readonly advice: readonly string[]
}

/** A moment is shown in the person's own time where the browser runs scripts. */
export type Fact =
  { readonly name: string; readonly text: string } | { readonly name: string; readonly at: string }

export interface NoticePage extends Shown {
  readonly kind: 'notice'
  readonly code?: ProblemCode
  readonly limit?: Fact
  readonly advice: readonly string[]
  /** The label of the button that starts the workspace. */
  readonly start?: string
  /** The workspace runs: the page has a link to it. */
  readonly opens?: boolean
  /** Further buttons; `name` is the last part of the path that they post to. */
  readonly acts: readonly { readonly name: 'extend' | 'restart' | 'stop'; readonly label: string }[]
  readonly facts: readonly Fact[]
  /** Other workspaces of the person. */
  readonly others: readonly OwnWorkspace[]
  /** The page of a person who may not have this: another account may. */
  readonly signsOut?: boolean
  /** A picture that is loaded from no other origin. */
  readonly icon?: string
}

export type Page = LoadingPage | FailurePage | NoticePage

/** Short in phases that end soon: a page without script notices a change only after this. */
const retryAfter: Partial<Record<ShownPhase, number>> = {
  queued: 5,
  pulling: 3,
  creating: 2,
  starting: 2,
  probing: 1,
  ready: 1,
  frozen: 1,
  stopping: 2,
}

/** @param others the other workspaces of the person */
export function choosePage(view: WorkspaceView, others: readonly OwnWorkspace[] = []): Page {
  const status = showStatus(view)
  if (view.refusal !== undefined) return refusalPage(view.refusal, status, others)
  if (status.phase === 'failed') return failurePage(view, status)
  if (status.problem?.code === 'engine_unreachable')
    return enginePage(status, status.problem.detail)
  if (view.leaves === true) return leavingPage(status)
  if (view.ended) return endedPage(status)
  if (view.outOfMemory === true) return outOfMemoryPage(status)
  if (status.phase === 'absent' || status.phase === 'stopped')
    return view.offer?.byClick === true ? offerPage(view, status) : restingPage(status)
  return loadingPage(status)
}

/** For a person who opens `/.berth/` itself to manage their workspaces, and in place of a page that loaded itself again. It
 * opens nothing by itself. */
export function managePage(view: WorkspaceView, others: readonly OwnWorkspace[]): Page {
  const page = runningPage(view) ?? choosePage(view, others)
  return page.kind === 'notice' ? { ...page, others } : page
}

function runningPage(view: WorkspaceView): NoticePage | undefined {
  const status = showStatus(view)
  if (view.refusal !== undefined || (status.phase !== 'ready' && status.phase !== 'frozen'))
    return undefined
  const { endsAt, extensionMs, outdated } = status
  const isFrozen = status.phase === 'frozen'
  const latest = 'A newer version of it is available. Restart it to get that version.'
  const paused = 'It was not in use. It continues where it was when you open it.'
  return {
    ...quiet,
    kind: 'notice',
    httpStatus: 503,
    refreshes: false,
    status,
    tab: isFrozen ? 'Paused' : 'Running',
    heading: isFrozen ? 'Your workspace is paused' : 'Your workspace is running',
    lead: outdated === true ? latest : isFrozen ? paused : 'You can open it now.',
    opens: true,
    facts: [
      ...(endsAt === undefined ? [] : [{ name: 'Ends at', at: endsAt }]),
      ...idleFacts(view.idle),
    ],
    acts: [
      ...(extensionMs === undefined
        ? []
        : [{ name: 'extend', label: `Extend by ${longText(extensionMs)}` } as const]),
      ...(view.owned === true ? ownerActs(outdated === true) : []),
    ],
    advice:
      view.owned === true
        ? [view.keepsFiles === true ? keepsHome : keepsNothing]
        : ['Several people use it, so no single one can stop it.'],
  }
}

const keepsHome =
  'Save your work before you stop or restart it: what is not saved is lost. The files in your home stay.'
const keepsNothing =
  'It keeps no files: a restart begins with a new one, and what you need from it has to be saved elsewhere.'

const ownerActs = (isOutdated: boolean) =>
  [
    { name: 'restart', label: isOutdated ? 'Restart to update' : 'Restart' },
    { name: 'stop', label: 'Stop' },
  ] as const

function idleFacts(idle: WorkspaceView['idle']): readonly Fact[] {
  const facts = [
    { name: 'Pauses when unused for', ms: idle?.freezeMs ?? 0 },
    { name: 'Stops when unused for', ms: idle?.stopMs ?? 0 },
  ]
  return facts.filter(({ ms }) => ms > 0).map(({ name, ms }) => ({ name, text: longText(ms) }))
}

const quiet = { advice: [], acts: [], facts: [], others: [] } as const

function loadingPage(status: ShownStatus): LoadingPage {
  const words = wordsFor(status)
  const retryAfterS = retryAfter[status.phase] ?? 2
  return { kind: 'loading', httpStatus: 503, retryAfterS, refreshes: true, status, ...words }
}

function failurePage(view: WorkspaceView, status: ShownStatus): FailurePage {
  const { failure } = view
  const code = failure?.code ?? status.problem?.code ?? 'start_failed'
  return {
    kind: 'failure',
    httpStatus: 502,
    refreshes: false,
    status,
    tab: 'Start failed',
    heading: problemTitle(code),
    lead: status.problem?.detail ?? '',
    code,
    ...(failure?.exitCode === undefined ? {} : { exitCode: failure.exitCode }),
    log: plainLog(failure?.log ?? []),
    advice: adviceFor({ ...failure, code }),
  }
}

function refusalPage(
  refusal: NonNullable<WorkspaceView['refusal']>,
  status: ShownStatus,
  others: readonly OwnWorkspace[],
): NoticePage {
  const { code, detail } = refusal.failure
  if (code === 'engine_unreachable') return enginePage(status, plainText(detail))
  const words = noticeWords[code]
  const isLimit = code === 'limit_user'
  // Once another workspace has stopped, the page goes on by itself.
  const isClearing = isLimit && others.some(({ phase }) => phase === 'stopping')
  return {
    ...problemPage(code, words?.lead ?? plainText(detail), status),
    ...(isClearing ? { refreshes: true, retryAfterS: 2, lead: clearing } : {}),
    ...(isLimit || code === 'template_forbidden' ? { others } : {}),
    ...(code === 'template_forbidden' ? { signsOut: true } : {}),
    ...(refusal.limit === undefined || words?.limit === undefined
      ? {}
      : { limit: { name: words.limit, text: String(refusal.limit) } }),
    // A person may also try again by hand where the page would do it, and after stopping another workspace.
    ...(words?.refreshS === undefined && !isLimit ? {} : { start: 'Try again' }),
  }
}

const clearing = 'One of them is being stopped. This one starts after that.'

function enginePage(status: ShownStatus, detail: string): NoticePage {
  return problemPage('engine_unreachable', detail, status)
}

/** The page for a problem. */
export function problemPage(code: ProblemCode, detail: string, status: ShownStatus): NoticePage {
  const words = noticeWords[code]
  const httpStatus = problemStatus(code)
  return {
    kind: 'notice',
    code,
    httpStatus,
    refreshes: words?.refreshS !== undefined,
    ...(httpStatus === 503 || words?.refreshS !== undefined
      ? { retryAfterS: words?.refreshS ?? 5 }
      : {}),
    status,
    ...quiet,
    tab: words?.heading ?? problemTitle(code),
    heading: words?.heading ?? problemTitle(code),
    lead: detail,
    advice: words?.advice ?? [],
  }
}

/** It is being stopped, and no person has asked for a start after that. */
function leavingPage(status: ShownStatus): NoticePage {
  return {
    ...restingPage(status),
    tab: 'Stopping',
    heading: 'Your workspace is being stopped',
    refreshes: true,
    starts: false,
    retryAfterS: 2,
    start: 'Start again',
  }
}

function endedPage(status: ShownStatus): NoticePage {
  return {
    ...quiet,
    kind: 'notice',
    httpStatus: 503,
    refreshes: false,
    status: { ...status, phase: 'stopped' },
    tab: 'Time is up',
    heading: 'Your workspace has used up its time',
    lead: 'It was stopped because it had run for the longest time that is allowed. You can start it again at any time.',
    start: 'Start again',
  }
}

function outOfMemoryPage(status: ShownStatus): NoticePage {
  return {
    ...restingPage(status),
    tab: 'Out of memory',
    heading: 'Your workspace ran out of memory',
    lead: outOfMemoryWords,
    start: 'Start again',
    advice: [obstacleAdvice.memory],
  }
}

function restingPage(status: ShownStatus): NoticePage {
  return {
    ...quiet,
    kind: 'notice',
    httpStatus: 503,
    refreshes: false,
    status,
    tab: 'Not running',
    heading: 'Your workspace is not running',
    lead: 'You can start it at any time.',
    start: 'Start',
  }
}

/** The page of a template that starts by a click: it shows the title, description and icon. */
function offerPage(view: WorkspaceView, status: ShownStatus): NoticePage {
  const { description = '', icon = '' } = view.offer ?? {}
  return {
    ...restingPage(status),
    tab: 'Start',
    heading: `Start ${plainText(view.title, 100)}`,
    lead:
      description === ''
        ? 'It is not running. You can start it at any time.'
        : plainText(description),
    ...(harmlessIcon.test(icon) && icon.length <= longestIcon ? { icon } : {}),
  }
}

const longestIcon = 64 * 1024
const harmlessIcon = /^(?:data:image\/(?:png|svg\+xml|jpeg|gif|webp)[;,]|\/(?!\/))/
