// Gives each request its id: the director's, or one made here for a script. The answer and every log line about it have it.
import type { RequestHandler, Response } from 'express'
import { newRequestId, parseRequestId, requestIdHeader } from '@berth/shared/request-id'

/** @param options whether what came before has authenticated a director, which has made the id or checked it */
export function createRequestIds(options: { readonly takeOver: boolean }): RequestHandler {
  return (request, response, next) => {
    const sent = request.headersDistinct[requestIdHeader] ?? []
    const requestId = options.takeOver ? parseRequestId(sent) : undefined
    response.locals['requestId'] = requestId ?? newRequestId()
    response.setHeader(requestIdHeader, requestIdOf(response))
    next()
  }
}

export function requestIdOf(response: Response): string {
  return String(response.locals['requestId'])
}
