// The one place where what went wrong becomes an answer: problem+json, or a page for a browser that asks for one.
import type { ErrorRequestHandler, Request, Response } from 'express'
import { internalPaths } from '@berth/shared/contract'
import { bounded, type Log } from '@berth/shared/log'
import { BerthError, createProblem, type Problem } from '@berth/shared/problems'
import { sendProblem } from './answers.ts'
import { readTarget, readUserName } from './caller.ts'
import { problemPage } from './page-model.ts'
import type { Pages } from './pages.ts'
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
    const refusal = asRefusal(error)
    if (refusal === undefined) {
      log.error({ error, method: request.method, path: bounded(request.path) }, 'request failed')
      answer(
        request,
        response,
        createProblem(base, 'spawner_unreachable', 'Something went wrong here. It has been noted.'),
      )
      return
    }
    const problem = createProblem(
      base,
      refusal.code,
      plainText(refusal.message, 1_000),
      refusal.details,
    )
    const status = refusal instanceof HttpRefusal ? refusal.status : problem.status
    answer(request, response, { ...problem, status })
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
        standstill: false,
      },
    )
  }
}

const nothingKnown = {
  template: '',
  workspace: '',
  phase: 'absent',
  elapsedMs: 0,
  steps: [],
} as const

/** The page route is asked for navigations only. */
function wantsPage(request: Request): boolean {
  return request.path === internalPaths.page || /\btext\/html\b/i.test(request.headers.accept ?? '')
}

function targetOf(request: Request): string {
  try {
    return readTarget(request.headers)
  } catch (error) {
    if (error instanceof BerthError) return '/'
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

/** Express and its parsers mark the client's faults with a status. */
function httpStatusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error)) return undefined
  return typeof error.status === 'number' ? error.status : undefined
}
