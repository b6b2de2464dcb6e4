// The only place that turns an error into an answer: problem+json, or a page for a browser that asks for HTML.
import type { ErrorRequestHandler, Request, Response } from 'express'
import { internalPaths } from '@berth/shared/contract'
import { bounded, type Log } from '@berth/shared/log'
import { BerthError, createProblem, type Problem } from '@berth/shared/problems'
import { sendProblem } from './answers.ts'
import { readBase, readTarget, readUserName } from './caller.ts'
import { requestIdOf } from './request-ids.ts'
import { problemPage } from '../pages/page-model.ts'
import type { Pages } from '../pages/pages.ts'
import { plainText } from './plain-text.ts'
import type { WebSettings } from './settings.ts'

/** A refusal whose status HTTP itself prescribes (405, 413, 415). */
export class HttpRefusal extends BerthError {
  readonly status: number

  constructor(status: number, detail: string) {
    super('bad_request', detail)
    this.name = 'HttpRefusal'
    this.status = status
  }
}

export function createProblemAnswers(deps: {
  settings: WebSettings
  pages: Pages
  log: Log
}): ErrorRequestHandler {
  const { pages, log } = deps
  const base = deps.settings.problemBase

  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- Express knows an error handler by its four parameters
  return (error: unknown, request: Request, response: Response, _next) => {
    answer(request, response, problemOf(error, response, { base, log }))
  }

  function answer(request: Request, response: Response, problem: Problem): void {
    if (response.headersSent) {
      response.destroy()
      return
    }
    if (wantsPage(request)) {
      sendPage(request, response, problem)
      return
    }
    sendProblem(response, problem)
  }

  function sendPage(request: Request, response: Response, problem: Problem): void {
    const page = problemPage(problem.code, problem.detail, nothingKnown)
    pages.send(
      response,
      { ...page, httpStatus: problem.status },
      {
        userName: readUserName(request.headers),
        title: '',
        target: targetOf(request),
        base: baseOf(request),
        standstill: false,
        stopsOthers: false,
      },
    )
  }
}

/** The problem that the client is told. An unexpected error is logged, and the client is told no details of it. */
export function problemOf(
  error: unknown,
  response: Response,
  { base, log }: { readonly base: string | undefined; readonly log: Log },
): Problem {
  const refusal = asRefusal(error)
  if (refusal === undefined) {
    logFailure(log, error, response)
    const detail =
      'An unexpected error occurred on the server. The log of the spawner has the details.'
    return createProblem(base, 'spawner_unreachable', detail)
  }
  const { code, message, details } = refusal
  const problem = createProblem(base, code, plainText(message, 1_000), details)
  return refusal instanceof HttpRefusal ? { ...problem, status: refusal.status } : problem
}

/** An error that no part of the spawner expected. */
export function logFailure(log: Log, error: unknown, response: Response): void {
  const { method, path } = response.req
  const requestId = requestIdOf(response)
  log.error({ requestId, error, method, path: bounded(path) }, 'request failed')
}

const nothingKnown = {
  template: '',
  workspace: '',
  phase: 'absent',
  elapsedMs: 0,
  steps: [],
} as const

/** Directors call the page route for navigations only, so its answer is always a page. */
function wantsPage(request: Request): boolean {
  return request.path === internalPaths.page || /\btext\/html\b/i.test(request.headers.accept ?? '')
}

const targetOf = (request: Request): string => readable(() => readTarget(request.headers), '/')
const baseOf = (request: Request): string => readable(() => readBase(request.headers), '')

function readable(read: () => string, otherwise: string): string {
  try {
    return read()
  } catch (error) {
    if (error instanceof BerthError) return otherwise
    throw error
  }
}

function asRefusal(error: unknown): BerthError | undefined {
  if (error instanceof BerthError) return error
  const status = httpStatusOf(error)
  if (status === undefined || status < 400 || status > 499) return undefined
  return new HttpRefusal(
    status,
    status === 413 ? 'The request is too large.' : 'The request cannot be read.',
  )
}

/** Express and its parsers set a status on errors that the client caused. */
export function httpStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined
  return typeof error.status === 'number' ? error.status : undefined
}
