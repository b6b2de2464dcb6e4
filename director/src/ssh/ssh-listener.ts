// The SSH listener: its port, its host keys, and the bounds on clients that have not signed in. ssh2 tells of a client only
// once its banner has come, so the sockets are accepted here.
import { createServer, type Socket } from 'node:net'
import { listen } from '@berth/shared/listen'
import type { Log } from '@berth/shared/log'
import { clientOf, plainAddress } from '@berth/shared/networks'
import type { SubnetPool } from '@berth/shared/subnet-pool'
import type { SetTimer } from '@berth/shared/timer'
import ssh2, { type Connection } from 'ssh2'
import { comesFromWorkspace } from '../listener/from-workspace.ts'
import { serveConnection, type ConnectionDeps, type SignInProgress } from './connection.ts'
import { algorithms } from './algorithms.ts'
import type { HostKey } from './host-keys.ts'

export interface SshListenerDeps extends ConnectionDeps {
  readonly port: number
  /** The network of workspaces: connections from it are refused. */
  readonly pool: SubnetPool
  readonly hostKeys: readonly HostKey[]
  readonly setTimer: SetTimer
  readonly log: Log
  readonly bounds?: Partial<Bounds>
}

export interface SshListener extends AsyncDisposable {
  readonly port: number
}

interface Bounds {
  /** From the first packet of TCP to the end of the sign-in. */
  readonly signInMs: number
  /** The same for one that a person confirms in a browser. */
  readonly browserMs: number
  /** Clients that have not signed in, in all and from one address. Behind a proxy all have one address. */
  readonly mostUnknown: number
  readonly mostUnknownFromOne: number
  readonly mostConnections: number
}

const usualBounds: Bounds = {
  signInMs: 30_000,
  browserMs: 6 * 60_000,
  mostUnknown: 256,
  mostUnknownFromOne: 64,
  mostConnections: 4_096,
}

export async function startSshListener(deps: SshListenerDeps): Promise<SshListener> {
  const { pool, hostKeys, setTimer, log } = deps
  const bounds = { ...usualBounds, ...deps.bounds }
  const sockets = new Set<Socket>()
  /** How many of them have not signed in, by address. */
  const unknown = new Map<string, number>()
  let unknownInAll = 0
  const progressOf = new WeakMap<Socket, SignInProgress>()

  const ssh = new ssh2.Server({
    hostKeys: hostKeys.map(({ privateKey }) => privateKey),
    algorithms,
    ident: 'Berth',
    // A client that has vanished is noticed, and nothing of it stays behind.
    keepaliveInterval: 15_000,
    keepaliveCountMax: 4,
  })
  ssh.on('error', (error: Error) => log.debug({ error }, 'ssh server failed'))
  ssh.on('connection', (client: Connection, { header }) => {
    const socket = (client as unknown as { readonly _sock: Socket })._sock
    const progress = progressOf.get(socket)
    if (progress === undefined) socket.destroy()
    else serveConnection(deps, client, socket, header.versions.software, progress)
  })

  function admit(socket: Socket): void {
    const address = plainAddress(socket.remoteAddress ?? '')
    const from = clientOf(address)
    const fromOne = unknown.get(from) ?? 0
    const isFull =
      sockets.size >= bounds.mostConnections ||
      unknownInAll >= bounds.mostUnknown ||
      fromOne >= bounds.mostUnknownFromOne
    if (isFull || comesFromWorkspace(socket, pool)) {
      socket.destroy()
      return
    }
    sockets.add(socket)
    unknown.set(from, fromOne + 1)
    unknownInAll += 1
    let isKnown = false
    const becomesKnown = (): void => {
      if (isKnown) return
      isKnown = true
      tooLate[Symbol.dispose]()
      unknownInAll -= 1
      const left = (unknown.get(from) ?? 1) - 1
      if (left > 0) unknown.set(from, left)
      else unknown.delete(from)
    }
    const end = (): void => void socket.destroy()
    let tooLate = setTimer(bounds.signInMs, end)
    progressOf.set(socket, {
      done: becomesKnown,
      waits() {
        if (isKnown) return
        tooLate[Symbol.dispose]()
        tooLate = setTimer(bounds.browserMs, end)
      },
    })
    socket.on('error', (error) => log.debug({ address, error }, 'ssh connection failed'))
    socket.once('close', () => {
      becomesKnown()
      sockets.delete(socket)
    })
    socket.setNoDelay(true)
    ssh.injectSocket(socket)
  }

  const server = createServer({ allowHalfOpen: false }, admit)
  const port = await listen(server, deps.port)
  server.on('error', (error) => log.error({ error }, 'ssh listener failed'))
  for (const { type, fingerprint } of hostKeys) log.info({ type, fingerprint }, 'ssh host key')
  log.info({ port }, 'ssh listener started')

  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
