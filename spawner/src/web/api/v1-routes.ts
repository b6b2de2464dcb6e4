// The routes of /api/v1, made from its operations. What is in front of them has checked the API token, or the origin.
import { json, Router, type Request, type RequestHandler } from 'express'
import { BerthError } from '@berth/shared/problems'
import { z } from 'zod'
import { sendJson } from '../http/answers.ts'
import { plainText } from '../http/plain-text.ts'
import { requestIdOf } from '../http/request-ids.ts'
import { HttpRefusal } from '../http/problem-answers.ts'
import { createFleetEvents } from './fleet-events.ts'
import { createHandlers, type ApiDeps, type Handlers } from './handlers.ts'
import { describeApi } from './openapi.ts'
import type { Person } from '@berth/shared/contract'
import { pageQueryOf, type HistoryQuery } from './history-schemas.ts'
import { createLogEvents } from './log-events.ts'
import type { logsQuery } from './schemas.ts'
import { sendCsv } from './send-csv.ts'
import { operationsFor, type Audience, type Operation } from './operations.ts'

export const apiBase = '/api/v1'

export interface V1Deps extends ApiDeps {
  readonly version: string
  /** The person who asks, on the portal. Absent: the holder of the token asks. */
  readonly personOf?: (request: Request) => Person
}

export function createV1Routes(deps: V1Deps): Router {
  const { personOf } = deps
  const audience: Audience = personOf === undefined ? 'scripts' : 'people'
  const router = Router({ caseSensitive: true, strict: true })
  const handlers = createHandlers(deps)
  const events = createFleetEvents(deps)
  const logs = createLogEvents(deps.workspaces)
  const parser = json({ limit: '64kb', strict: true })
  const description = describeApi(deps.version, audience)

  router.get('/openapi.json', (_request, response) => sendJson(response, 200, description))
  for (const [id, operation] of operationsFor(audience)) {
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1')
    if (id === 'followEvents') router.get(path, follow)
    else router[operation.method](path, ...handle(operation, handlers[id]))
  }
  for (const [path, methods] of methodsByPath(audience)) router.all(path, notAllowed(methods))
  router.use(() => {
    throw new BerthError('template_unknown', 'There is nothing at this path.')
  })
  return router

  function follow(...[request, response, next]: Parameters<RequestHandler>): void {
    // Express would answer HEAD with this route, but a stream needs a body.
    if (request.method === 'HEAD') next()
    else events.open(response, personOf?.(request))
  }

  function handle(
    operation: Operation,
    handler: Handlers[keyof Handlers],
  ): readonly RequestHandler[] {
    const answer: RequestHandler = async (request, response, next) => {
      const query = parse(operation.query ?? nothing, request.query)
      const body = operation.body === undefined ? undefined : readBody(operation, request)
      const name = String(request.params['name'] ?? '')
      const as = personOf?.(request)
      if (isFollowing(operation, query)) {
        // Express would answer HEAD with this route, but a stream needs a body.
        if (request.method === 'HEAD') next()
        else logs.open(response, { name, as }, (query as z.infer<typeof logsQuery>).tail)
        return
      }
      if (operation.csv === true) {
        response.vary('accept')
        // A client that prefers nothing gets JSON.
        if (request.accepts(['application/json', 'text/csv']) === 'text/csv')
          return sendCsv(response, deps.history, pageQueryOf(query as HistoryQuery))
      }
      const result = await handler({ name, query, body, as, requestId: requestIdOf(response) })
      if (!response.destroyed) sendJson(response, operation.status, result)
    }
    return operation.body === undefined ? [answer] : [parser, answer]
  }
}

function isFollowing({ follows }: Operation, query: unknown): boolean {
  return follows === true && (query as z.infer<typeof logsQuery>).follow === '1'
}

const nothing = z.strictObject({})

function readBody({ body: schema = nothing, bodyOptional }: Operation, request: Request): unknown {
  if (bodyOptional === true && !hasBody(request)) return parse(schema, {})

  if (request.is('application/json') === false || request.is('application/json') === null)
    throw new HttpRefusal(415, 'The body must be JSON (Content-Type: application/json).')
  return parse(schema, request.body)
}

function hasBody({ headers }: Request): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function parse(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new BerthError('bad_request', plainText(z.prettifyError(result.error), 1_000))
}

function methodsByPath(audience: Audience): ReadonlyMap<string, string> {
  const all = new Map([['/openapi.json', 'GET, HEAD']])
  for (const [, { method, path, answer }] of operationsFor(audience)) {
    const route = path.replace(/\{(\w+)\}/g, ':$1')
    const own = method === 'get' && answer !== undefined ? 'GET, HEAD' : method.toUpperCase()
    const before = all.get(route)
    all.set(route, before === undefined ? own : `${before}, ${own}`)
  }
  return all
}

export function notAllowed(methods: string): RequestHandler {
  return (_request, response) => {
    response.setHeader('allow', methods)
    throw new HttpRefusal(405, `This path supports only ${methods}.`)
  }
}
