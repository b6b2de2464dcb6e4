// Which page a person sees for a view of their workspace, and with which words. Pure; the HTML is in `views/`.
import type { ShownPhase } from '@berth/shared/contract'
import { problemStatus, problemTitle, type ProblemCode } from '@berth/shared/problems'
import type { WorkspaceView } from '../../loop/workspaces.ts'
import { plainLog, plainText } from '../http/plain-text.ts'
import { showStatus, type ShownStatus } from './status.ts'
import { longText } from './durations.ts'
import { adviceFor, noticeWords, wordsFor } from './words.ts'

interface Shown {
  readonly httpStatus: number
  /** With `refreshes`, also the seconds after which a page without script reloads. */
  readonly retryAfterS?: number
  readonly refreshes: boolean
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

export interface NoticePage extends Shown {
  readonly kind: 'notice'
  readonly code?: ProblemCode
  readonly limit?: number
  readonly advice: readonly string[]
  /** The label of the button that starts the workspace. */
  readonly start?: string
  /** The workspace runs: the page has a link to it. */
  readonly opens?: boolean
  /** Further buttons; `name` is the last part of the path that they post to. */
  readonly acts: readonly { readonly name: 'extend' | 'restart'; readonly label: string }[]
  readonly facts: readonly { readonly name: string; readonly text: string }[]
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

export function choosePage(view: WorkspaceView): Page {
  const status = showStatus(view)
  if (view.refusal !== undefined) return refusalPage(view.refusal, status)
  if (status.phase === 'failed') return failurePage(view, status)
  if (status.problem?.code === 'engine_unreachable')
    return enginePage(status, status.problem.detail)
  if (view.ended) return endedPage(status)
  if (status.phase === 'absent' || status.phase === 'stopped')
    return view.offer?.byClick === true ? offerPage(view, status) : restingPage(status)
  return loadingPage(status)
}

/** For a person who opens `/.berth/` itself to manage a workspace that runs. */
export function runningPage(view: WorkspaceView): NoticePage | undefined {
  const status = showStatus(view)
  if (view.refusal !== undefined || (status.phase !== 'ready' && status.phase !== 'frozen'))
    return undefined
  const { endsAt, extensionMs, outdated } = status
  const latest =
    'A newer version of it is available. Restart to get it. Save your work first: what is not saved is lost.'
  return {
    ...quiet,
    kind: 'notice',
    httpStatus: 200,
    refreshes: false,
    status,
    tab: 'Running',
    heading: 'Your workspace is running',
    lead: outdated === true ? latest : 'You can open it now.',
    opens: true,
    facts: endsAt === undefined ? [] : [{ name: 'Ends at', text: timeText(endsAt) }],
    acts: [
      ...(extensionMs === undefined
        ? []
        : [{ name: 'extend', label: `Extend by ${longText(extensionMs)}` } as const]),
      ...(outdated === true ? [{ name: 'restart', label: 'Restart to update' } as const] : []),
    ],
  }
}

const quiet = { advice: [], acts: [], facts: [] } as const

/** UTC, to the minute: the server knows neither the time zone nor the language of the person. */
function timeText(at: string): string {
  return `${at.slice(0, 10)} ${at.slice(11, 16)} UTC`
}

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
    advice: adviceFor(code, failure?.exitCode),
  }
}

function refusalPage(
  refusal: NonNullable<WorkspaceView['refusal']>,
  status: ShownStatus,
): NoticePage {
  const { code, detail } = refusal.failure
  if (code === 'engine_unreachable') return enginePage(status, plainText(detail))
  return {
    ...problemPage(code, plainText(detail), status),
    ...(refusal.limit === undefined ? {} : { limit: refusal.limit }),
    // A person may also try again by hand where the page would do it, and after stopping another workspace.
    ...(noticeWords[code]?.refreshS === undefined && code !== 'limit_user'
      ? {}
      : { start: 'Try again' }),
  }
}

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
    ...(httpStatus === 503 ? { retryAfterS: words?.refreshS ?? 5 } : {}),
    status,
    ...quiet,
    tab: words?.heading ?? problemTitle(code),
    heading: words?.heading ?? problemTitle(code),
    lead: detail,
    advice: words?.advice ?? [],
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
