// Forwarding (RFC 4254, section 7) into the person's own workspace, and out of it: its loopback address, its own name and its
// unix sockets. What leads elsewhere is refused by `destinationOf()`, and logged.
import { connect, type Socket } from 'node:net'
import { randomBytes } from 'node:crypto'
import type { SessionTarget } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { newRequestId } from '@berth/shared/request-id'
import type { ServerChannel } from 'ssh2'
import type { Metrics } from '../listener/metrics.ts'
import { createChannelWriter, type ChannelWriter } from './channel-writer.ts'
import type { LoginName } from './login-name.ts'
import { createLineReader } from './lines.ts'
import type { ContainerProcess, StartProcess } from './process.ts'
import type { Reach, Reached } from './reach.ts'
import { linesOf, Refused } from './refused.ts'
import { passInput } from './session.ts'

export interface ForwardDeps {
  readonly reach: Reach
  readonly startProcess: StartProcess
  readonly metrics: Metrics
  readonly log: Log
}

/** What a client asks to be connected to. */
export type Wanted = { readonly host: string; readonly port: number } | { readonly path: string }

export interface AskedForward {
  readonly login: LoginName
  readonly wanted: Wanted
  /** Opens the channel to the client, once there is a connection. */
  readonly accept: () => ServerChannel
  readonly reject: () => void
  readonly drained: () => Promise<void>
  readonly gone: AbortSignal
}

export interface AskedListener {
  readonly login: LoginName
  readonly at: SessionTarget
  /** Opens a channel to the client for a connection that has come. */
  readonly open: (from: {
    readonly address: string
    readonly port: number
  }) => Promise<ServerChannel>
  readonly drained: () => Promise<void>
  readonly gone: AbortSignal
}

export interface Listening {
  readonly port: number
  readonly close: () => void
}

export interface Forwarding {
  /** Never rejects. */
  forward(asked: AskedForward): Promise<void>
  /** @throws Refused */
  listen(asked: AskedListener): Promise<Listening>
}

/** What @types/ssh2 leaves out. */
type EndsInHalves = ServerChannel & { eof(): void }

const loopbackHosts: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1', ''])
const connectMs = 3_000
/** A notice of socat, whose first address is the session and whose second one is the connection. */
const otherSideEnded = /socket 2 \(fd \d+\) is at EOF/
/** The engine may deliver a notice before the last bytes of the output. */
const lastBytesMs = 100

/**
 * @param workspace the name of the person's own workspace
 * @returns `undefined`: it leads elsewhere
 */
export function destinationOf(wanted: Wanted, workspace: string): SessionTarget | undefined {
  if ('path' in wanted)
    return /^\/[^\0,:!"'\\]{1,100}$/.test(wanted.path) ? { path: wanted.path } : undefined
  const { host, port } = wanted
  if (port < 1 || port > 65_535) return undefined
  const isOwn = loopbackHosts.has(host.toLowerCase()) || host.toLowerCase() === workspace
  return isOwn ? { port } : undefined
}

export function createForwarding(deps: ForwardDeps): Forwarding {
  const { reach, startProcess, metrics, log } = deps

  /** The container itself is asked first: what listens at its loopback address alone needs a program in it. */
  async function throughNetwork(
    asked: AskedForward,
    { seat, mayPass }: Reached,
    port: number,
  ): Promise<boolean> {
    const socket = await tryConnect(seat.lease.address.host, port, asked.gone)
    if (socket === undefined) return false
    const { activity } = seat
    const channel = openChannel(asked.accept) as EndsInHalves
    const writer = createChannelWriter(channel, asked.drained, asked.gone)
    const end = (): void => void socket.destroy()
    asked.gone.addEventListener('abort', end, { once: true })
    channel.once('close', end)
    const write = (bytes: Buffer): Promise<boolean> => {
      activity.touch()
      return new Promise((resolve) => {
        if (!socket.writable) return resolve(false)
        const closed = (): void => resolve(false)
        socket.once('close', closed)
        socket.write(bytes, (error) => {
          socket.off('close', closed)
          resolve(!error)
        })
      })
    }
    const to = { write, endInput: () => void socket.end(), destroy: end }
    const sent = passInput(channel, to, mayPass)
    try {
      const chunks = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
      for await (const chunk of chunks) {
        activity.touch()
        await writer.write('output', chunk)
      }
      // The client may go on.
      channel.eof()
      await sent
    } catch {
      // Reset: the client sees the end of the channel.
    }
    end()
    channel.end()
    asked.gone.removeEventListener('abort', end)
    return true
  }

  async function throughProcess(
    asked: AskedForward,
    reached: Reached,
    to: SessionTarget,
  ): Promise<void> {
    const connected = Promise.withResolvers<boolean>()
    const started = Promise.withResolvers<ContainerProcess>()
    const read = createLineReader((line) => {
      if (line.includes('starting data transfer loop')) connected.resolve(true)
      // The program would wait for the client, and the client for the end of the output.
      if (otherSideEnded.test(line)) void started.promise.then((process) => process.endInput())
    })
    const begun = Promise.withResolvers<ChannelWriter | undefined>()
    const ended = new AbortController()
    const gone = AbortSignal.any([asked.gone, ended.signal])
    const running = await startProcess(reached, {
      purpose: { type: 'connect', to },
      async printed(stream, bytes) {
        if (stream === 'errors') return read(bytes)
        // Its bytes may come before the word of the connection.
        connected.resolve(true)
        const writer = await begun.promise
        await writer?.write('output', bytes)
      },
      gone,
    })
    started.resolve(running)
    void running.ended.then(() => connected.resolve(false))
    if (!(await connected.promise)) {
      begun.resolve(undefined)
      throw new Refused('workspace_unreachable', 'Nothing listens there.')
    }
    const channel = openChannel(asked.accept)
    channel.once('close', () => ended.abort())
    begun.resolve(createChannelWriter(channel, asked.drained, gone))
    void passInput(channel, running, reached.mayPass)
    await running.ended
    channel.end()
  }

  /** One connection that a listener in the workspace has accepted. */
  async function join(
    asked: AskedListener,
    reached: Reached,
    as: string,
    { number, address, port }: { number: number; address: string; port: number },
  ): Promise<void> {
    const channel = (await asked.open({ address, port })) as EndsInHalves
    channel.on('error', () => undefined)
    const ended = new AbortController()
    channel.once('close', () => ended.abort())
    const gone = AbortSignal.any([asked.gone, ended.signal])
    const writer = createChannelWriter(channel, asked.drained, gone)
    const read = createLineReader((line) => {
      if (otherSideEnded.test(line)) setTimeout(() => channel.eof(), lastBytesMs)
    })
    const running = await startProcess(reached, {
      purpose: { type: 'join', as, number },
      printed: (stream, bytes) =>
        stream === 'output' ? writer.write('output', bytes) : read(bytes),
      gone,
    })
    void passInput(channel, running, reached.mayPass)
    await running.ended
    channel.end()
  }

  return {
    async forward(asked) {
      const { login, wanted, gone } = asked
      const requestId = newRequestId()
      metrics.opened('ssh')
      try {
        using reached = await reach({ requestId, login, leaves: gone })
        const { lease, ended } = reached.seat
        const { workspace } = lease
        const to = destinationOf(wanted, workspace)
        if (to === undefined) {
          const asWanted = 'path' in wanted ? wanted.path : `${wanted.host}:${wanted.port}`
          log.warn(
            { user: login.user, workspace, wanted: asWanted.slice(0, 300) },
            'ssh forwarding refused',
          )
          throw new Refused('template_forbidden', 'Forwarding leads into your own workspace only.')
        }
        const inSeat = { ...asked, gone: AbortSignal.any([gone, ended]) }
        if ('path' in to || !(await throughNetwork(inSeat, reached, to.port)))
          await throughProcess(inSeat, reached, to)
        metrics.ended('ssh', 'forwarded')
      } catch (error) {
        asked.reject()
        const isRefused = error instanceof Refused
        metrics.ended('ssh', gone.aborted ? 'client_gone' : isRefused ? 'refused' : 'failed')
        if (isRefused) {
          metrics.refused(error.code)
          log.info({ requestId, user: login.user, code: error.code }, linesOf(error)[0])
        } else if (!gone.aborted) log.error({ error }, 'forwarding failed')
      } finally {
        metrics.closed('ssh')
      }
    },

    async listen(asked) {
      const { login, at, gone } = asked
      const closed = new AbortController()
      const left = AbortSignal.any([gone, closed.signal])
      const reached = await reach({ requestId: newRequestId(), login, leaves: left })
      const over = AbortSignal.any([left, reached.seat.ended])
      try {
        const as = randomBytes(8).toString('hex')
        const listening = Promise.withResolvers<number>()
        const read = createLineReader((line) => {
          const heard = /listening on .*?(?::(\d+))?\s*$/.exec(line)
          if (heard !== null) listening.resolve(Number(heard[1] ?? 0))
          const parked = /^parked (\d+) (\S*) (\d+)$/.exec(line)
          if (parked === null) return
          const [, number = '', address = '', port = '0'] = parked
          const from = {
            number: Number(number),
            address: address || '127.0.0.1',
            port: Number(port),
          }
          join({ ...asked, gone: over }, reached, as, from).catch((error: unknown) => {
            if (!over.aborted)
              log.info({ error, user: login.user }, 'connection could not be joined')
          })
        })
        const running = await startProcess(reached, {
          purpose: { type: 'listen', at, as },
          printed: (stream, bytes) => (stream === 'errors' ? read(bytes) : undefined),
          gone: over,
        })
        void running.ended.then(() => {
          listening.reject(new Refused('conflict', 'Nothing can listen there.'))
          reached[Symbol.dispose]()
        })
        return { port: await listening.promise, close: () => closed.abort() }
      } catch (error) {
        closed.abort()
        reached[Symbol.dispose]()
        throw error
      }
    },
  }
}

function openChannel(accept: () => ServerChannel): ServerChannel {
  const channel = accept()
  // The client has gone: its end is seen as the end of the connection.
  channel.on('error', () => undefined)
  return channel
}

/** @returns `undefined` if nothing accepts the connection */
async function tryConnect(
  host: string,
  port: number,
  gone: AbortSignal,
): Promise<Socket | undefined> {
  const socket = connect({ host, port, allowHalfOpen: true, noDelay: true })
  // An error ends the connection, and is seen where its bytes are passed.
  socket.on('error', () => undefined)
  const leave = (): void => void socket.destroy()
  const tooLong = setTimeout(leave, connectMs)
  gone.addEventListener('abort', leave, { once: true })
  const isThere = await new Promise((resolve) => {
    socket.once('connect', () => resolve(true)).once('close', () => resolve(false))
  })
  clearTimeout(tooLong)
  gone.removeEventListener('abort', leave)
  return isThere === true && !gone.aborted ? socket : undefined
}
