// Accepts only requests with API_TOKEN. This check comes before any part of the body is read. The token is never shown
// or logged.
import type { Request, RequestHandler, Response } from 'express'
import type { Clock } from '@berth/shared/clock'
import { bounded, type Log } from '@berth/shared/log'
import { createProblem } from '@berth/shared/problems'
import type { Secret } from '@berth/shared/secret'
import { sendProblem } from '../http/answers.ts'
import { requestIdOf } from '../http/request-ids.ts'

/** The shortest time between two log lines: a client that tries many tokens must not fill the disk. */
const logEveryMs = 10_000

export function createTokenGuard(deps: {
  readonly token: Secret
  readonly problemBase?: string | undefined
  readonly clock: Clock
  readonly log: Log
}): RequestHandler {
  const { token, problemBase, clock, log } = deps
  const detail = 'The request needs the header "Authorization: Bearer" with the API token.'
  let loggedAt = Number.NEGATIVE_INFINITY
  let unlogged = 0

  function note({ socket: { remoteAddress: address }, path }: Request, response: Response): void {
    unlogged += 1
    if (clock.now() - loggedAt < logEveryMs) return
    const requestId = requestIdOf(response)
    log.warn(
      { requestId, address, path: bounded(path), attempts: unlogged },
      'wrong or missing API token',
    )
    loggedAt = clock.now()
    unlogged = 0
  }

  return (request, response, next) => {
    const match = /^Bearer +(\S.*)$/i.exec(request.headers.authorization ?? '')
    if (match?.[1] !== undefined && token.matches(match[1])) {
      next()
      return
    }
    note(request, response)
    response.setHeader('www-authenticate', 'Bearer realm="berth"')
    sendProblem(response, createProblem(problemBase, 'identity_missing', detail))
  }
}
