// The real web application on a loopback port, over a stand-in for the loop, with a client that sends requests as a
// director does.
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { systemClock, type Clock } from '@berth/shared/clock'
import { createLog, type Log } from '@berth/shared/log'
import { Secret } from '@berth/shared/secret'
import { systemTimer } from '@berth/shared/timer'
import type { Audit } from '../../audit.ts'
import { createHouse, type House } from '../../house.ts'
import { createOrders } from '../../orders.ts'
import { createMemoryStore } from '../../loop/testing/memory-store.ts'
import type { Disk } from '../../loop/disk.ts'
import type { Usage } from '../../loop/usage.ts'
import type { HistoryReader } from '../../history/history.ts'
import type { Impersonations } from '../../impersonations.ts'
import type { SignIns } from '../../loop/sign-ins.ts'
import type { HostKeys } from '../../ssh/host-keys.ts'
import type { RegisteredKeys } from '../../ssh/keys.ts'
import { createTerminalSignIns, type TerminalSignIns } from '../../ssh/terminal-sign-ins.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import { createHexOf } from '../docker-spawner/container-hex.ts'
import type { WebSettings } from '../http/settings.ts'
import { createWeb } from '../web.ts'
import { createStandIn, type StandIn } from './stand-in.ts'

export const secretText = 'the internal secret of the tests'

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Ask {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

const noKeys: RegisteredKeys = {
  of: () => [],
  add: () => [],
  remove: () => undefined,
  admits: () => false,
}

const noHostKeys: HostKeys = { check: () => undefined, forget: () => false }

export interface TestWeb extends AsyncDisposable {
  readonly url: string
  readonly workspaces: StandIn
  /** By default, the request is one of alice for `lab`, with the headers that a director sets. */
  ask(path: string, options?: Ask): Promise<Answer>
  /** Resolves when the headers of the answer have arrived, before its body. */
  open(path: string, options?: Ask): Promise<IncomingMessage>
}

export const aliceHeaders = {
  authorization: `Bearer ${secretText}`,
  'berth-user': 'alice',
  'berth-subject': 'u-alice',
  'berth-groups': 'staff',
  'berth-template': 'lab',
  'berth-target': '%2Flab%2Ftree%3Fa%3D1',
  'x-forwarded-host': 'localhost:4180',
  'x-forwarded-proto': 'http',
}

export async function startWeb(
  options: {
    settings?: Partial<WebSettings>
    workspaces?: StandIn
    log?: Log
    signIns?: SignIns
  } = {},
): Promise<TestWeb> {
  const workspaces = options.workspaces ?? createStandIn()
  return { ...(await serveWeb({ ...options, workspaces })), workspaces }
}

/** The web in front of any loop. */
export async function serveWeb(options: {
  settings?: Partial<WebSettings>
  workspaces: Workspaces
  clock?: Clock
  history?: HistoryReader
  audit?: Audit
  log?: Log
  usage?: Usage
  disk?: Disk
  house?: House
  signIns?: SignIns
  keys?: RegisteredKeys
  hostKeys?: HostKeys
  terminalSignIns?: TerminalSignIns
  impersonations?: Impersonations | undefined
}): Promise<Omit<TestWeb, 'workspaces'>> {
  const { workspaces } = options
  const settings: WebSettings = {
    internalSecret: new Secret(secretText),
    siteTitle: 'Berth',
    signOutUrl: '/.berth/sign-out',
    frameAncestors: "'none'",
    administrators: { group: 'admins', users: [] },
    ...options.settings,
  }
  const web = createWeb({
    workspaces,
    settings,
    signIns: options.signIns ?? { note: () => undefined, last: () => undefined },
    keys: options.keys ?? noKeys,
    hostKeys: options.hostKeys ?? noHostKeys,
    terminalSignIns:
      options.terminalSignIns ??
      createTerminalSignIns({ clock: systemClock, setTimer: systemTimer }),
    hexOf: createHexOf(settings.internalSecret),
    clock: options.clock ?? systemClock,
    version: '1.2.3',
    usage: options.usage,
    disk: options.disk,
    house: options.house ?? createHouse(createOrders(createMemoryStore()), () => undefined),
    impersonations: options.impersonations,
    history: options.history,
    audit: options.audit ?? (() => undefined),
    log: options.log ?? createLog({ service: 'test', level: 'silent' }),
  })
  const server = createServer({ maxHeaderSize: 256 * 1024 }, web)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  async function open(path: string, ask: Ask = {}): Promise<IncomingMessage> {
    const headers = { ...aliceHeaders, ...ask.headers }
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      path,
      method: ask.method ?? 'GET',
      headers,
    })
    request.end(ask.body)
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    // A test that hangs up causes a reset, which arrives here.
    answer.on('error', () => undefined)
    return answer
  }

  return {
    url: `http://127.0.0.1:${port}`,
    open,
    async ask(path, ask) {
      const answer = await open(path, ask)
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      const { statusCode = 0, headers } = answer
      return { status: statusCode, headers, body: Buffer.concat(chunks).toString() }
    },
    async [Symbol.asyncDispose]() {
      // Streams clear their timers when their sockets close. This must happen before a test restores the clock.
      const closed = [...sockets].map((socket) => once(socket, 'close'))
      server.close()
      server.closeAllConnections()
      await Promise.all(closed)
    },
  }
}
