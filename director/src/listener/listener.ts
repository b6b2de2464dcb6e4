// The HTTP listener: its limits, the refusal of connections from workspaces and of malformed requests, and its shutdown.
import http, { type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { listen } from '@berth/shared/listen'
import type { Log } from '@berth/shared/log'
import type { ProblemCode } from '@berth/shared/problems'
import type { SubnetPool } from '@berth/shared/subnet-pool'
import { comesFromWorkspace } from './from-workspace.ts'
import type { Refusals } from './refusals.ts'
import { pause, type SetTimer } from '@berth/shared/timer'
import type { ServeRequest } from './requests.ts'
import type { Upgrades } from './upgrades.ts'

export interface ListenerDeps {
  readonly port: number
  /** The network of workspaces: connections from it are refused. */
  readonly pool: SubnetPool
  readonly serveRequest: ServeRequest
  readonly upgrades: Upgrades
  readonly refusals: Refusals
  readonly setTimer: SetTimer
  /** Refuses the requests that still wait for a workspace. */
  readonly stopWaiting: () => void
  readonly log: Log
}

export interface Listener extends AsyncDisposable {
  readonly port: number
}

/** How long requests in flight may take to end at shutdown, and when the requests that still wait are refused. */
const closeMs = 20_000
const stopWaitingMs = 15_000
const closeStepMs = 100

const limits = {
  // More than a gateway passes on, so that a person gets a page: `check-request.ts` has the limit.
  maxHeaderSize: 1100 * 1024,
  headersTimeout: 15_000,
  // Uploads may take hours. Forwarding has deadlines of its own.
  requestTimeout: 0,
  // Longer than a gateway keeps idle connections (90 s in Go), so that none is closed while it is being used.
  keepAliveTimeout: 120_000,
  connectionsCheckingInterval: 5_000,
  // A request for any other upgrade (h2c) is served as an ordinary request.
  shouldUpgradeCallback: (request: IncomingMessage) =>
    request.headers.upgrade?.toLowerCase() === 'websocket',
} as const

export async function startListener(deps: ListenerDeps): Promise<Listener> {
  const { pool, serveRequest, upgrades, refusals, setTimer, log } = deps
  const server = http.createServer(limits)
  server.maxRequestsPerSocket = 0
  // Node does not keep track of sockets that were upgraded.
  const sockets = new Set<Socket>()
  let closing = false

  server.on('connection', (socket) => {
    if (comesFromWorkspace(socket, pool)) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', (error) => log.debug({ error }, 'client connection failed'))
  })
  server.on('request', (req, res) => {
    if (closing) res.shouldKeepAlive = false
    void serveRequest(req, res, false)
  })
  server.on('checkContinue', (req, res) => {
    if (closing) res.shouldKeepAlive = false
    void serveRequest(req, res, true)
  })
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, head: Buffer) => {
    // Node emits a pipelined upgrade before the answers to earlier requests are written: the two would mix.
    if (hasAnswerUnderWay(socket)) {
      socket.destroy()
      return
    }
    // Node's server passes only its own sockets.
    void upgrades.serve(req, socket as Socket, head)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const code = error.code ?? ''
    if (!socket.writable || hasAnswerUnderWay(socket) || code === 'ECONNRESET') {
      socket.destroy()
      return
    }
    const [status, detail] = malformed.get(code) ?? [400, 'The request is malformed.']
    const problemCode: ProblemCode = 'bad_request'
    refusals.toSocket(socket, { ...refusals.problem(problemCode, detail), status })
  })

  const port = await listen(server, deps.port)
  server.on('error', (error) => log.error({ error }, 'listener failed'))

  return {
    port,
    async [Symbol.asyncDispose]() {
      closing = true
      const over = new AbortController()
      server.close(() => over.abort())
      upgrades.closeAll()
      const waiting = setTimer(stopWaitingMs, deps.stopWaiting)
      for (let ms = 0; ms < closeMs && !over.signal.aborted; ms += closeStepMs) {
        server.closeIdleConnections()
        await pause(setTimer, closeStepMs, over.signal)
      }
      waiting[Symbol.dispose]()
      for (const socket of sockets) socket.destroy()
    },
  }
}

const malformed: ReadonlyMap<string, readonly [number, string]> = new Map([
  ['HPE_HEADER_OVERFLOW', [431, 'The headers of the request are too long.']],
  [
    'ERR_HTTP_REQUEST_TIMEOUT',
    [408, 'The client took too long to send the headers of the request.'],
  ],
])

/** A client would read anything written now as a part of that answer. */
function hasAnswerUnderWay(socket: Duplex): boolean {
  return (
    '_httpMessage' in socket && socket._httpMessage !== null && socket._httpMessage !== undefined
  )
}
