// Which page a person sees for a view of their workspace, and with what words. Pure; HTML is the templates' business.
import type { ShownPhase } from '@berth/shared/contract'
import { problemStatus, problemTitle, type ProblemCode } from '@berth/shared/problems'
import type { WorkspaceView } from '../../loop/workspaces.ts'
import { plainLog, plainText } from '../http/plain-text.ts'
import { showStatus, type ShownStatus } from './status.ts'
import { longText } from './spans.ts'
import { adviceFor, noticeWords, wordsFor } from './words.ts'

interface Shown {
  readonly httpStatus: number
  /** Also the seconds after which a page without script asks again, where `refreshes`. */
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
  /** It runs, and a link leads to it. */
  readonly opens?: boolean
  /** What else may be asked for here, by the last part of its path. */
  readonly acts: readonly { readonly name: 'extend' | 'restart'; readonly label: string }[]
  readonly facts: readonly { readonly name: string; readonly text: string }[]
  /** A picture that needs no other origin. */
  readonly icon?: string
}

export type Page = LoadingPage | FailurePage | NoticePage

/** Short where something moves: a page without script is only as quick as this. */
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

/** For somebody who comes to look after a workspace that runs, not to be led into it. */
export function runningPage(view: WorkspaceView): NoticePage | undefined {
  const status = showStatus(view)
  if (view.refusal !== undefined || (status.phase !== 'ready' && status.phase !== 'frozen'))
    return undefined
  const { endsAt, extensionMs, outdated } = status
  const latest = 'There is a newer version of it. A restart brings that; what is not saved is lost.'
  return {
    ...quiet,
    kind: 'notice',
    httpStatus: 200,
    refreshes: false,
    status,
    tab: 'Running',
    heading: 'Your workspace is running',
    lead: outdated === true ? latest : 'Everything is as it should be.',
    opens: true,
    facts: endsAt === undefined ? [] : [{ name: 'Ends', text: timeText(endsAt) }],
    acts: [
      ...(extensionMs === undefined
        ? []
        : [{ name: 'extend', label: `Give it ${longText(extensionMs)} more` } as const]),
      ...(outdated === true
        ? [{ name: 'restart', label: 'Restart with the newer one' } as const]
        : []),
    ],
  }
}

const quiet = { advice: [], acts: [], facts: [] } as const

/** The page's own language and the server's time zone say little: UTC, to the minute. */
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
    // What waits for a place of one's own or for room can be asked for again by hand, too.
    ...(noticeWords[code]?.refreshS === undefined && code !== 'limit_user'
      ? {}
      : { start: 'Try again' }),
  }
}

function enginePage(status: ShownStatus, detail: string): NoticePage {
  return problemPage('engine_unreachable', detail, status)
}

/** Any problem as a page of its own. */
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
    heading: 'Your workspace has reached its end',
    lead: 'It had run for as long as one may and was stopped. Start it again whenever you like.',
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
    lead: 'Nothing is under way and nobody is waiting for it. Start it whenever you like.',
    start: 'Start',
  }
}

/** A template that waits for a click says what it is. */
function offerPage(view: WorkspaceView, status: ShownStatus): NoticePage {
  const { description = '', icon = '' } = view.offer ?? {}
  return {
    ...restingPage(status),
    tab: 'Start',
    heading: `Start ${plainText(view.title, 100)}`,
    lead:
      description === ''
        ? 'It is not running. Start it whenever you like.'
        : plainText(description),
    ...(harmlessIcon.test(icon) && icon.length <= longestIcon ? { icon } : {}),
  }
}

const longestIcon = 64 * 1024
const harmlessIcon = /^(?:data:image\/(?:png|svg\+xml|jpeg|gif|webp)[;,]|\/(?!\/))/
