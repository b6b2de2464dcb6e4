// A whole director on loopback, between a stand-in spawner and workspaces that are real servers.
import { once } from 'node:events'
import http, { type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { systemClock } from '@berth/shared/clock'
import type { Address, Route, SeatAnswer } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { Secret } from '@berth/shared/secret'
import { parsePrefix } from '@berth/shared/names'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { pino } from 'pino'
import type { DirectorConfig } from '@berth/shared/director-settings'
import { startDirector, type Director } from '../director.ts'
import { systemTimer } from '@berth/shared/timer'
import { startStandInSpawner, type StandInSpawner } from './stand-in-spawner.ts'

const secret = 'a secret of the tests'
/** Loopback, but not where the tests' own clients come from. */
export const workspaceHost = '127.5.0.1'

export interface TestBed extends AsyncDisposable {
  readonly spawner: StandInSpawner
  readonly director: Director
  /** Sends the routes, and resolves when the director uses them. */
  introduce(routes: readonly Route[], groups?: readonly string[]): Promise<void>
  /** The lines of the log, parsed. */
  readonly log: Record<string, unknown>[]
  /** Resolves with the first line (also an earlier one) that the condition holds for. */
  logged(condition: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>
  /** Serves on an address of the pool until the end of the test. */
  workspace(listener: RequestListener, host?: string): Promise<TestWorkspace>
  request(options: TestRequest): Promise<TestResponse>
  /** Begins a request and hands it over; headers as for `request`. */
  begin(options: TestRequest): http.ClientRequest
}

export interface TestWorkspace {
  readonly address: Address
  readonly server: http.Server
  /** Requests that arrived so far. */
  readonly requests: string[]
  close(): Promise<void>
}

export interface TestRequest {
  readonly path?: string
  readonly method?: string
  readonly user?: string
  readonly headers?: http.OutgoingHttpHeaders
  readonly body?: string | Buffer
  readonly navigation?: boolean
  readonly agent?: http.Agent
  /** Another port of the director. */
  readonly port?: number | undefined
}

export interface TestResponse {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface TestBedOptions {
  readonly config?: Partial<DirectorConfig>
  readonly names?: Readonly<Record<string, readonly string[]>>
}

export const labRoute: Route = {
  template: 'lab',
  prefix: 'lab',
  port: 8888,
  hosts: [],
  shared: false,
  readyPath: '/',
  passIdentity: [],
  passTokens: [],
  backgroundRequests: ['GET /api/*'],
  connectionIdleMs: 60_000,
}

export async function startTestBed(options: TestBedOptions = {}): Promise<TestBed> {
  const stack = new AsyncDisposableStack()
  const spawner = stack.use(await startStandInSpawner(secret))
  const { log, lines, logged } = recordingLog()
  const director = stack.use(
    await startDirector(
      { ...testConfig(spawner.port), ...options.config },
      {
        hostname: 'director-1',
        version: '0.0.0',
        log,
        clock: systemClock,
        setTimer: systemTimer,
        random: () => 0.5,
        resolve: async (name) => options.names?.[name] ?? [],
        fetch,
      },
    ),
  )

  async function workspace(
    listener: RequestListener,
    host = workspaceHost,
  ): Promise<TestWorkspace> {
    const requests: string[] = []
    const sockets = new Set<Socket>()
    const server = http.createServer((req, res) => {
      requests.push(`${req.method} ${req.url}`)
      listener(req, res)
    })
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => sockets.delete(socket))
    })
    await once(server.listen(0, host), 'listening')
    const close = async (): Promise<void> => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      // The server does not close upgraded sockets.
      for (const socket of sockets) socket.destroy()
      await closed
    }
    stack.defer(close)
    const address = { host, port: (server.address() as AddressInfo).port }
    return { address, server, requests, close }
  }

  function begin(asked: TestRequest): http.ClientRequest {
    const { user = 'alice', navigation = false } = asked
    return http.request({
      host: '127.0.0.1',
      port: asked.port ?? director.port,
      path: asked.path ?? '/',
      method: asked.method ?? 'GET',
      agent: asked.agent ?? false,
      maxHeaderSize: 256 * 1024,
      headers: {
        host: 'berth.test',
        'x-forwarded-preferred-username': user,
        'x-forwarded-user': `u-${user}`,
        accept: navigation ? 'text/html' : '*/*',
        ...asked.headers,
      },
    })
  }

  async function request(asked: TestRequest): Promise<TestResponse> {
    const sent = begin(asked)
    sent.end(asked.body)
    return await answerTo(sent)
  }

  async function introduce(routes: readonly Route[], groups?: readonly string[]): Promise<void> {
    await spawner.until(() => spawner.streams() > 0)
    const before = lines.filter(isRoutesLine).length
    spawner.send({
      event: 'routes',
      data: { routes: [...routes], ...(groups === undefined ? {} : { groups }) },
    })
    await logged(() => lines.filter(isRoutesLine).length > before)
  }

  return {
    spawner,
    director,
    introduce,
    log: lines,
    logged,
    workspace,
    begin,
    request,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

function isRoutesLine({ message }: Record<string, unknown>): boolean {
  return message === 'routes received'
}

export async function answerTo(sent: http.ClientRequest): Promise<TestResponse> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks).toString(),
  }
}

export function granted(
  address: Address,
  more: { generation?: string; leaseMs?: number; workspace?: string } = {},
): SeatAnswer {
  return {
    status: 'granted',
    workspace: more.workspace ?? 'lab-alice',
    generation: more.generation ?? 'g1',
    address,
    leaseMs: more.leaseMs ?? 60_000,
  }
}

export const waiting: SeatAnswer = { status: 'waiting', workspace: 'lab-alice', phase: 'starting' }

/** Holds an answer as a spawner does: until the time is over or the caller has gone. */
export async function hold(ms: number, signal: AbortSignal): Promise<SeatAnswer> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms)
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      resolve()
    })
  })
  return waiting
}

function testConfig(spawnerPort: number): DirectorConfig {
  const prefix = parsePrefix('lab')
  const pool = parseSubnetPool('127.5.0.0/16')
  if (prefix === undefined || pool === undefined) throw new Error('the test bed is misconfigured')
  return {
    SPAWNER_HOST: '127.0.0.1',
    SPAWNER_PORT: spawnerPort,
    CONTAINER_HOST_PREFIX: prefix,
    CONTAINER_PORT: 8888,
    CONTAINER_SCHEME: 'http',
    LISTEN_PORT: 0,
    OPS_PORT: 0,
    INTERNAL_SECRET: new Secret(secret),
    GATEWAY_SECRET: undefined,
    IDENTITY_HEADER: 'X-Forwarded-Preferred-Username',
    SUBJECT_HEADER: 'X-Forwarded-User',
    SUBJECT_REQUIRED: true,
    GROUPS_HEADER: 'X-Forwarded-Groups',
    EMAIL_HEADER: 'X-Forwarded-Email',
    GATEWAY_COOKIES: ['_oauth2_proxy*'],
    OAUTH2_PROXY_COOKIE_NAME: undefined,
    OAUTH2_PROXY_OIDC_ISSUER_URL: undefined,
    OAUTH2_PROXY_CLIENT_ID: undefined,
    SIGN_OUT_URL: '/.berth/sign-out',
    PUBLIC_URL: undefined,
    PORTAL_URL: undefined,
    LOADING_PAGE_AFTER: 100,
    REQUEST_WAIT_TIMEOUT: 5_000,
    MAX_CONNECTIONS_PER_USER: 512,
    MAX_WEBSOCKETS_PER_USER: 256,
    WORKSPACE_TIMEOUT: 5_000,
    NETWORK_POOL: pool,
    CONNECTION_MAX_AGE: 0,
    SSH_PORT: undefined,
    SSH_HOST_KEYS: '/nowhere',
    SSH_KEYS_FOLDER: undefined,
    SSH_SIGN_IN_AGE: 3_600_000,
    SSH_ENVIRONMENT: ['LANG', 'LC_*'],
    TCP_PORTS: undefined,
    TCP_CONNECTIONS: 4_096,
    TCP_CONNECTIONS_PER_ADDRESS: 512,
    PROXY_FROM: [],
    GUEST_PORT: undefined,
    GUEST_URL: undefined,
    GUEST_SECRET: undefined,
    GUEST_COOKIE_AGE: 3_600_000,
    GUEST_PROXY_FROM: [],
    LOG_LEVEL: 'info',
  }
}

function recordingLog() {
  const lines: Record<string, unknown>[] = []
  const waiters = new Set<() => void>()
  const log: Log = pino(
    { level: 'debug', messageKey: 'message', serializers: { error: pino.stdSerializers.err } },
    {
      write(text: string) {
        lines.push(JSON.parse(text) as Record<string, unknown>)
        for (const look of [...waiters]) look()
      },
    },
  )
  function logged(condition: (line: Record<string, unknown>) => boolean) {
    const { promise, resolve } = Promise.withResolvers<Record<string, unknown>>()
    const look = (): void => {
      const found = lines.find(condition)
      if (found === undefined) return
      waiters.delete(look)
      resolve(found)
    }
    waiters.add(look)
    look()
    return promise
  }
  return { log, lines, logged }
}
