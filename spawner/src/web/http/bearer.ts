// Lets only directors in: whoever knows the internal secret. Nothing is parsed, and no page shown, before.
import type { RequestHandler } from 'express'
import { createProblem } from '@berth/shared/problems'
import { sendProblem } from './answers.ts'
import type { WebSettings } from './settings.ts'

export function createBearerGuard({ internalSecret, problemBase }: WebSettings): RequestHandler {
  const detail = 'Only directors that know the internal secret are answered.'
  return (request, response, next) => {
    const match = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')
    if (match?.[1] !== undefined && internalSecret.matches(match[1])) {
      next()
      return
    }
    response.setHeader('www-authenticate', 'Bearer')
    sendProblem(response, createProblem(problemBase, 'identity_missing', detail))
  }
}
