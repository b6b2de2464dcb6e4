// The routes of /api/v1, made from its operations. The token guard has checked the API token before.
import { json, Router, type Request, type RequestHandler } from 'express'
import { BerthError } from '@berth/shared/problems'
import { z } from 'zod'
import { sendJson } from '../http/answers.ts'
import { plainText } from '../http/plain-text.ts'
import { HttpRefusal } from '../http/problem-answers.ts'
import { createFleetEvents } from './fleet-events.ts'
import { createHandlers, type ApiDeps, type Handlers } from './handlers.ts'
import { describeApi } from './openapi.ts'
import { operations, type Operation } from './operations.ts'

export const apiBase = '/api/v1'

export function createV1Routes(deps: ApiDeps & { readonly version: string }): Router {
  const router = Router({ caseSensitive: true, strict: true })
  const handlers = createHandlers(deps)
  const events = createFleetEvents(deps)
  const parser = json({ limit: '64kb', strict: true })
  const description = describeApi(deps.version)

  router.get('/openapi.json', (_request, response) => sendJson(response, 200, description))
  for (const [id, operation] of Object.entries<Operation>(operations)) {
    const path = operation.path.replace(/\{(\w+)\}/g, ':$1')
    if (id === 'followEvents') router.get(path, follow)
    else router[operation.method](path, ...handle(operation, handlers[id as keyof Handlers]))
  }
  for (const [path, methods] of methodsByPath()) router.all(path, notAllowed(methods))
  router.use(() => {
    throw new BerthError('template_unknown', 'There is nothing at this path.')
  })
  return router

  function follow(...[request, response, next]: Parameters<RequestHandler>): void {
    // Express would answer HEAD with this route, but a stream needs a body.
    if (request.method === 'HEAD') next()
    else events.open(response)
  }

  function handle(
    operation: Operation,
    handler: Handlers[keyof Handlers],
  ): readonly RequestHandler[] {
    const answer: RequestHandler = async (request, response) => {
      const query = parse(operation.query ?? nothing, request.query)
      const body = operation.body === undefined ? undefined : readBody(operation.body, request)
      const name = String(request.params['name'] ?? '')
      const result = await handler({ name, query, body })
      if (!response.destroyed) sendJson(response, operation.status, result)
    }
    return operation.body === undefined ? [answer] : [parser, answer]
  }
}

const nothing = z.strictObject({})

function readBody(schema: z.ZodType, request: Request): unknown {
  if (request.is('application/json') === false || request.is('application/json') === null)
    throw new HttpRefusal(415, 'The body must be JSON (Content-Type: application/json).')
  return parse(schema, request.body)
}

function parse(schema: z.ZodType, value: unknown): unknown {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw new BerthError('bad_request', plainText(z.prettifyError(result.error), 1_000))
}

function methodsByPath(): ReadonlyMap<string, string> {
  const all = new Map([['/openapi.json', 'GET, HEAD']])
  for (const { method, path, answer } of Object.values<Operation>(operations)) {
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
