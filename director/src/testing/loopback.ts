// Workspaces, a front that forwards to them and raw clients, all on loopback and on free ports.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { connect, createServer as createNetServer, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import type { Address } from '@berth/shared/contract'
import { selfSigned } from '@berth/shared/testing/self-signed'
import { createHeaderScrub } from '../headers/scrub.ts'
import {
  createConnectionPools,
  type ConnectionPools,
  type PoolLimits,
} from '../forward/connection-pools.ts'
import { forwardRequest } from '../forward/forward-request.ts'
import { createUpgradeForwarder, type UpgradeOutcome } from '../forward/forward-upgrade.ts'
import type { ForwardOutcome } from '../forward/outcome.ts'
import type { UpgradeHooks } from '../forward/upgraded-connection.ts'

export interface Workspace extends AsyncDisposable {
  readonly address: Address
  /** Connections accepted so far. */
  readonly connections: () => number
}

export async function startWorkspace(listener: RequestListener): Promise<Workspace> {
  return listen(createServer(listener))
}

/** A workspace that speaks only TLS, with a certificate that nobody knows. It accepts WebSockets if `upgraded` is given. */
export async function startSecureWorkspace(
  listener: RequestListener,
  upgraded?: (req: IncomingMessage, socket: Duplex) => void,
): Promise<Workspace> {
  const server = createSecureServer(selfSigned(), listener)
  if (upgraded !== undefined) server.on('upgrade', upgraded)
  const workspace = await listen(server)
  return { ...workspace, address: { ...workspace.address, scheme: 'https' } }
}

/** A workspace whose answers the test writes byte by byte. */
export async function startRawWorkspace(serve: (socket: Socket) => void): Promise<Workspace> {
  return listen(
    createNetServer((socket) => {
      socket.on('error', () => socket.destroy())
      serve(socket)
    }),
  )
}

/** Listens and never accepts. Its queue is full, so the system leaves further connections unanswered. */
export async function startDeafWorkspace(): Promise<
  AsyncDisposable & { readonly address: Address }
> {
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
     const server = require('node:net').createServer()
     server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
       parentPort.postMessage(server.address().port)
       Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
     })`,
    { eval: true },
  )
  const [port] = (await once(worker, 'message')) as [number]
  const address = { host: '127.0.0.1', port }
  const fill = [connect(address), connect(address)]
  for (const socket of fill) socket.on('error', () => socket.destroy())
  await Promise.all(fill.map((socket) => once(socket, 'connect')))
  return {
    address,
    async [Symbol.asyncDispose]() {
      for (const socket of fill) socket.destroy()
      await worker.terminate()
    },
  }
}

async function listen(server: Server | ReturnType<typeof createNetServer>): Promise<Workspace> {
  const sockets = new Set<Socket>()
  let connections = 0
  server.on('connection', (socket: Socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => sockets.delete(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    address: addressOf(server),
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.close()
      for (const socket of sockets) socket.destroy()
      if (server.listening) await once(server, 'close')
    },
  }
}

function addressOf(server: { address(): unknown }): Address {
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}

export interface Front extends AsyncDisposable {
  readonly address: Address
  readonly pools: ConnectionPools
  /** The outcomes of forwarding, in the order in which they ended. */
  readonly outcomes: (ForwardOutcome | UpgradeOutcome)[]
  /** The next outcome that is not yet known. */
  nextOutcome(): Promise<ForwardOutcome | UpgradeOutcome>
}

export interface FrontOptions {
  readonly answerTimeoutMs?: number
  readonly hooks?: UpgradeHooks
  readonly limits?: Partial<PoolLimits>
}

const route = { passIdentity: [], passTokens: [], authorization: 'application' } as const

/** Forwards every request to one workspace, with the scrub, and answers a failure with a bare status. */
export async function startFront(to: Address, options: FrontOptions = {}): Promise<Front> {
  const { answerTimeoutMs = 5_000, hooks = {}, limits = {} } = options
  const passes = createHeaderScrub({
    gateway: {
      secret: undefined,
      identityHeader: 'X-Forwarded-Preferred-Username',
      subjectHeader: 'X-Forwarded-User',
      groupsHeader: 'X-Forwarded-Groups',
      emailHeader: 'X-Forwarded-Email',
      subjectRequired: false,
    },
    gatewayCookies: ['_oauth2_proxy*'],
  })
  const pools = createConnectionPools(limits)
  const forwardUpgrade = createUpgradeForwarder(limits)
  const outcomes: (ForwardOutcome | UpgradeOutcome)[] = []
  const waiting: ((outcome: ForwardOutcome | UpgradeOutcome) => void)[] = []

  function settled(outcome: ForwardOutcome | UpgradeOutcome): void {
    outcomes.push(outcome)
    waiting.shift()?.(outcome)
  }

  const serve =
    (expectContinue: boolean): RequestListener =>
    (req, res) => {
      void forwardRequest({
        req,
        res,
        dispatcher: pools.get({ generation: 'one', address: to }),
        freshConnection: () => pools.fresh({ generation: 'one', address: to }),
        target: req.url ?? '/',
        requestId: 'request-1',
        headers: passes.toWorkspace(req.rawHeaders, {
          remoteAddress: req.socket.remoteAddress,
          proof: 'none',
          requestId: 'request-1',
          route,
        }),
        toClient: (raw) =>
          passes.toClient(raw, {
            host: req.headers.host,
            path: undefined,
            target: '/',
          }),
        answerTimeoutMs,
        expectContinue,
        hooks,
      }).then((outcome) => {
        settled(outcome)
        if (outcome.kind === 'failed' || outcome.kind === 'not-sent')
          res.writeHead(outcome.kind === 'failed' ? statuses[outcome.code] : 503).end(outcome.kind)
      })
    }
  const server = createServer({ maxHeaderSize: 64 * 1024, requestTimeout: 0 }, serve(false))
  server.on('checkContinue', serve(true))
  server.on('upgrade', (req, socket, head) => {
    socket.on('error', () => socket.destroy())
    void forwardUpgrade({
      req,
      socket: socket as Socket,
      head,
      address: to,
      target: req.url ?? '/',
      requestId: 'request-1',
      headers: passes.toWorkspace(req.rawHeaders, {
        remoteAddress: undefined,
        proof: 'none',
        requestId: 'request-1',
        route,
      }),
      toClient: (raw) =>
        passes.toClient(raw, {
          host: req.headers.host,
          path: undefined,
          target: '/',
        }),
      answerTimeoutMs,
      hooks,
    }).then((outcome) => {
      settled(outcome)
      if (outcome.kind === 'failed' || outcome.kind === 'not-sent')
        socket.end(`HTTP/1.1 502 ${outcome.kind}\r\n\r\n`)
    })
  })
  const listening = await listen(server)

  return {
    address: listening.address,
    pools,
    outcomes,
    nextOutcome: () => new Promise((resolve) => waiting.push(resolve)),
    async [Symbol.asyncDispose]() {
      await listening[Symbol.asyncDispose]()
      await pools[Symbol.asyncDispose]()
    },
  }
}

const statuses = {
  workspace_unreachable: 502,
  answer_malformed: 502,
  workspace_timeout: 504,
  bad_request: 400,
} as const

export interface RawClient extends Disposable {
  readonly socket: Socket
  /** Everything received so far, one character for each byte. */
  received(): string
  send(bytes: string | Uint8Array): void
  /** Waits for a match in the received bytes; fails when the connection ends without one. */
  until(pattern: RegExp): Promise<RegExpExecArray>
  /** Waits for the end of the connection and returns everything received. */
  end(): Promise<string>
}

export async function connectRaw({ host, port }: Address): Promise<RawClient> {
  const socket = connect({ host, port, allowHalfOpen: true })
  let text = ''
  let ended = false
  const changed = new Set<() => void>()
  const change = () => {
    for (const look of [...changed]) look()
  }
  const finish = () => {
    ended = true
    change()
  }
  socket.on('error', finish)
  socket.on('end', finish)
  socket.on('close', finish)
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
    change()
  })
  await once(socket, 'connect')

  function when<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const tryNow = () => {
        const found = look()
        if (found === undefined && !ended) return
        changed.delete(tryNow)
        if (found === undefined) reject(new Error(`the connection ended with: ${text.slice(-500)}`))
        else resolve(found)
      }
      changed.add(tryNow)
      tryNow()
    })
  }

  return {
    socket,
    received: () => text,
    send(bytes) {
      socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    },
    until: (pattern) => when(() => pattern.exec(text) ?? undefined),
    end: () => when(() => (ended ? text : undefined)),
    [Symbol.dispose]() {
      socket.destroy()
    },
  }
}

/** Sends one message and returns everything received until the connection ended: send `Connection: close` in it. */
export async function exchange(address: Address, message: string): Promise<string> {
  using client = await connectRaw(address)
  client.send(message)
  return await client.end()
}
