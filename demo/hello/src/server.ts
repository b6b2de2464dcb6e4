// The table of routes and the listener. README.md describes each route.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import * as answers from './answers.ts'
import { bytes } from './bytes.ts'
import { echo, sha256 } from './echo.ts'
import { numberOf, sendJson, sendText, splitTarget, type Exchange, type Route } from './exchange.ts'
import { createFiles } from './files.ts'
import { page, whoami } from './page.ts'
import { createCount, createStats, createTally } from './tally.ts'
import { createWebSocketEcho } from './websocket.ts'

export interface HelloOptions {
  readonly home: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Until then every request is answered with 503. */
  readonly readyAt: number
  now(): number
  exit(code: number): void
  print(line: string): void
}

export function createHello(options: HelloOptions): Server {
  const tally = createTally()
  const routes = new Map<string, Route>([
    ['whoami', whoami],
    ['echo', echo],
    ['sha256', sha256],
    ['bytes', bytes],
    ['slow', answers.slow],
    ['drip', answers.drip],
    ['events', answers.events],
    ['trailers', answers.trailers],
    ['status', answers.status],
    ['early', answers.early],
    ['reset', answers.reset],
    ['headers', answers.headers],
    ['hints', answers.hints],
    ['raw', answers.raw],
    ['files', createFiles(options.home)],
    ['count', createCount(tally)],
    ['stats', createStats(tally)],
    ['env', ({ response }) => sendJson(response, 200, options.env)],
    [
      'print',
      ({ response, query }) => answerAfter(response, () => options.print(query.get('line') ?? '')),
    ],
    [
      'exit',
      ({ response, query }) =>
        answerAfter(response, () => options.exit(numberOf(query, 'code', 0))),
    ],
  ])

  function routeOf(path: string): { route: Route; rest: string } | undefined {
    if (path === '/' || path === '') return { route: page, rest: '' }
    const name = path.slice(1).split('/', 1)[0] ?? ''
    const route = routes.get(name)
    return route === undefined ? undefined : { route, rest: path.slice(1 + name.length) }
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { path, query } = splitTarget(request.url ?? '/')
    if (options.now() < options.readyAt) return sendText(response, 503, 'not ready yet\n')
    const found = routeOf(path)
    if (found === undefined) return sendText(response, 404, 'no such route\n')
    const exchange: Exchange = { request, response, rest: found.rest, query }
    await found.route(exchange)
  }

  const server = createServer({ maxHeaderSize: 128 * 1024, requestTimeout: 0 })
  server.on('request', (request, response) => {
    tally.requests += 1
    response.setHeader('hello-host', hostname())
    response.on('close', () => {
      if (!response.writableFinished) tally.aborted += 1
    })
    handle(request, response).catch((error: unknown) => {
      options.print(`${request.method} failed: ${String(error)}`)
      response.destroy()
    })
  })
  server.on('connection', (socket) => {
    tally.openSockets += 1
    socket.on('close', () => (tally.openSockets -= 1))
  })
  server.on('upgrade', createWebSocketEcho(tally))
  return server
}

function answerAfter(response: ServerResponse, action: () => void): void {
  response.on('finish', action)
  sendText(response, 200, 'done\n')
}
