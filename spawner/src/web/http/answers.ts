// Sends JSON with headers that prevent caches from storing it and browsers from treating it as another type.
import type { Response } from 'express'
import { problemMediaType, type Problem } from '@berth/shared/problems'

export function sendJson(response: Response, status: number, value: unknown): void {
  send(response, status, 'application/json; charset=utf-8', value)
}

export function sendProblem(response: Response, problem: Problem): void {
  if (problem.status === 503) response.setHeader('retry-after', '5')
  send(response, problem.status, problemMediaType, problem)
}

function send(response: Response, status: number, type: string, value: unknown): void {
  response.status(status)
  response.setHeader('content-type', type)
  response.setHeader('cache-control', 'no-store')
  response.setHeader('x-content-type-options', 'nosniff')
  response.end(JSON.stringify(value))
}
