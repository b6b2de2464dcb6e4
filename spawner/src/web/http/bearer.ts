// Accepts only requests with the internal secret, which only directors know. This check comes before any parsing and
// any page.
import type { RequestHandler } from 'express'
import { createProblem } from '@berth/shared/problems'
import { sendProblem } from './answers.ts'
import type { WebSettings } from './settings.ts'

export function createBearerGuard({ internalSecret, problemBase }: WebSettings): RequestHandler {
  const detail = 'The request needs the header "Authorization: Bearer" with the internal secret.'
  return (request, response, next) => {
    if (provesDirector(request.headers.authorization, { internalSecret })) {
      next()
      return
    }
    response.setHeader('www-authenticate', 'Bearer')
    sendProblem(response, createProblem(problemBase, 'identity_missing', detail))
  }
}

export function provesDirector(
  authorization: string | undefined,
  { internalSecret }: Pick<WebSettings, 'internalSecret'>,
): boolean {
  const match = /^Bearer +(\S.*)$/i.exec(authorization ?? '')
  return match?.[1] !== undefined && internalSecret.matches(match[1])
}
