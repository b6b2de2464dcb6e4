// A stand-in for the spawner on loopback: it follows the contract, and each test sets its answers.
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type {
  ActivityAnswer,
  ActivityReport,
  ActivityCheckResult,
  Command,
  LoginAnswer,
  LoginRequest,
  ProbeResult,
  Route,
  SeatAnswer,
  SeatRequest,
  SshServerRequest,
  UseReport,
} from '@berth/shared/contract'
import {
  activityReportSchema,
  activityCheckResultSchema,
  internalPaths,
  loginRequestSchema,
  seatRequestSchema,
  sessionProtocol,
  sshServerRequestSchema,
  useReportSchema,
} from '@berth/shared/contract'
import { problemMediaType, type Problem } from '@berth/shared/problems'
import { runLocally } from './local-session.ts'
import { eventStreamHeaders, formatEvent } from '@berth/shared/server-sent-events'

export interface Passed {
  readonly method: string
  readonly target: string
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

export interface StandInSpawner extends AsyncDisposable {
  readonly port: number
  readonly asked: SeatRequest[]
  /** Those of the requests for seats. */
  readonly requestIds: unknown[]
  readonly reports: ActivityReport[]
  readonly probed: ProbeResult[]
  readonly answers: ActivityCheckResult[]
  readonly useReports: UseReport[]
  readonly passed: Passed[]
  /** How many seat requests are held now. */
  held(): number
  seats: (request: SeatRequest, signal: AbortSignal) => Promise<SeatAnswer | Problem | number>
  activity: (report: ActivityReport) => ActivityAnswer['leases']
  login: (request: LoginRequest) => LoginAnswer | Problem
  /** Of a director that is connected to the SSH server in a container. */
  checkServer: (request: SshServerRequest) => Problem | undefined
  /** How many sessions are open. Each runs its command on this machine. */
  sessions(): number
  pass: (request: http.IncomingMessage, response: http.ServerResponse) => void
  /** How many streams of commands are open. */
  streams(): number
  /** To every stream of commands that is open. */
  send(command: Command): void
  /** Resolves when something that the test waits for has happened. */
  until(condition: () => boolean): Promise<void>
  /** As if it had been killed: every connection ends, and no new one is accepted. */
  kill(): Promise<void>
  /** Listens again, on the same port. */
  revive(): Promise<void>
  /** The next streams begin without a snapshot. */
  forgetRoutes(): void
}

export async function startStandInSpawner(secret: string): Promise<StandInSpawner> {
  const streams = new Set<http.ServerResponse>()
  let waiters: { condition: () => boolean; resolve: () => void }[] = []
  let held = 0
  // As the real one, it begins each stream with the present snapshot.
  let routes: readonly Route[] | undefined
  let port = 0

  function changed(): void {
    for (const { condition, resolve } of waiters) if (condition()) resolve()
    waiters = waiters.filter(({ condition }) => !condition())
  }

  const server = http.createServer((req, res) => {
    if (req.headers.authorization !== `Bearer ${secret}`) {
      res.writeHead(401).end()
      return
    }
    void answer(req, res).finally(changed)
  })

  const open = new Set<Duplex>()
  server.on('upgrade', (_req, socket: Duplex, head: Buffer) => {
    open.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => {
      open.delete(socket)
      changed()
    })
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: ${sessionProtocol}\r\n\r\n`,
    )
    runLocally(socket, head)
    changed()
  })

  async function answer(req: http.IncomingMessage, res: http.ServerResponse): Promise<void> {
    const target = req.url ?? ''
    if (target.endsWith('/commands')) {
      res.writeHead(200, eventStreamHeaders)
      res.flushHeaders()
      streams.add(res)
      if (routes !== undefined) res.write(formatEvent('routes', { routes }))
      res.on('close', () => streams.delete(res))
      return
    }
    const gone = new AbortController()
    res.on('close', () => gone.abort())
    const body = await read(req)
    if (target === internalPaths.seats) {
      const request = seatRequestSchema.parse(JSON.parse(body))
      spawner.asked.push(request)
      spawner.requestIds.push(req.headers['x-request-id'])
      held += 1
      changed()
      const said = await spawner.seats(request, gone.signal)
      held -= 1
      if (typeof said === 'number') res.writeHead(said).end()
      else if ('code' in said) json(res, said.status, said, problemMediaType)
      else json(res, said.status === 'granted' ? 200 : 202, said)
      return
    }
    if (target === internalPaths.logins) {
      const said = spawner.login(loginRequestSchema.parse(JSON.parse(body)))
      if ('code' in said) json(res, said.status, said, problemMediaType)
      else json(res, 200, said)
      return
    }
    if (target === internalPaths.sshServers) {
      const said = spawner.checkServer(sshServerRequestSchema.parse(JSON.parse(body)))
      if (said === undefined) json(res, 200, {})
      else json(res, said.status, said, problemMediaType)
      return
    }
    if (target === internalPaths.activity) {
      const report = activityReportSchema.parse(JSON.parse(body))
      spawner.reports.push(report)
      json(res, 200, { leases: spawner.activity(report) })
      return
    }
    if (target === internalPaths.probeResults) {
      spawner.probed.push(JSON.parse(body) as ProbeResult)
      res.writeHead(204).end()
      return
    }
    if (target === internalPaths.activityCheckResults) {
      spawner.answers.push(activityCheckResultSchema.parse(JSON.parse(body)))
      res.writeHead(204).end()
      return
    }
    if (target === internalPaths.useReports) {
      spawner.useReports.push(useReportSchema.parse(JSON.parse(body)))
      res.writeHead(204).end()
      return
    }
    spawner.passed.push({ method: req.method ?? '', target, headers: req.headers, body })
    spawner.pass(req, res)
  }

  async function listen(on: number): Promise<void> {
    await new Promise<void>((resolve) => server.listen(on, '127.0.0.1', resolve))
    port = (server.address() as AddressInfo).port
  }

  async function kill(): Promise<void> {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    for (const socket of open) socket.destroy()
    await closed
  }

  const spawner: StandInSpawner = {
    get port() {
      return port
    },
    asked: [],
    requestIds: [],
    reports: [],
    probed: [],
    answers: [],
    useReports: [],
    passed: [],
    held: () => held,
    streams: () => streams.size,
    seats: async () => 500,
    activity: ({ seats }) => seats.map(({ workspace }) => ({ workspace, leaseMs: 60_000 })),
    login: ({ user, template = 'lab' }) => ({
      person: { name: user, subject: `u-${user}`, groups: [] },
      template,
    }),
    checkServer: () => undefined,
    sessions: () => open.size,
    pass: (_request, response) => void response.writeHead(404).end(),
    send({ event, data }) {
      if (event === 'routes') routes = data.routes
      for (const stream of streams) stream.write(formatEvent(event, data))
    },
    until(condition) {
      if (condition()) return Promise.resolve()
      const { promise, resolve } = Promise.withResolvers<void>()
      waiters.push({ condition, resolve })
      return promise
    },
    kill,
    revive: () => listen(port),
    forgetRoutes() {
      routes = undefined
    },
    async [Symbol.asyncDispose]() {
      if (server.listening) await kill()
    },
  }
  await listen(0)
  return spawner
}

async function read(req: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

function json(
  res: http.ServerResponse,
  status: number,
  value: unknown,
  type = 'application/json',
): void {
  res.writeHead(status, { 'content-type': type }).end(JSON.stringify(value))
}
