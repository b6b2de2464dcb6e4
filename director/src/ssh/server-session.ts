// A session at the SSH server in a container. The person may run any server there, so what it sends is bounded as what a
// client sends. ssh2 1.17 does not do it: one byte of errors opens the window again although the output is not read.
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import { sessionSignals, type SessionSignal } from '@berth/shared/session-frames'
import type { SetTimer } from '@berth/shared/timer'
import type { ClientChannel, PseudoTtyOptions, TerminalModes } from 'ssh2'
import type { LeaseTable } from '../leases/lease-table.ts'
import { createDrained, createSend } from './channel-writer.ts'
import { usualExchangeMs, watchKeyExchange } from './key-exchange.ts'
import type { ContainerProcess, ProcessEnd, ProcessOrder, StartProcess } from './process.ts'
import { Refused } from './refused.ts'
import type { ServerConnection, SignInAtServer } from './server-sign-in.ts'

export interface ServerSessionDeps {
  readonly signIn: SignInAtServer
  /** For templates without a server, and to forward connections. */
  readonly inContainer: StartProcess
  readonly table: Pick<LeaseTable, 'end'>
  readonly setTimer: SetTimer
  readonly closing: AbortSignal
  /** What an exchange of keys may take. Default: 20 s. */
  readonly exchangeMs?: number
}

/** What a process may do between the signal that its client has gone and its end. */
const graceMs = 3_000
/** What the server may take to end the connection. */
const endMs = 1_000
/** Twice what a server may send before it has to wait. */
const mostKept = 4 * 1024 ** 2
/** Of a packet that is kept, besides its bytes. */
const pieceCost = 256
/** A server that reads nothing and asks much. */
const mostUnsent = 16 * 1024 ** 2

export function createStartSession(deps: ServerSessionDeps): StartProcess {
  const { signIn, inContainer, table, setTimer, closing, exchangeMs = usualExchangeMs } = deps

  return async (reached, order) => {
    if (reached.server === undefined || !isSession(order)) return inContainer(reached, order)
    const over = AbortSignal.any([order.gone, closing])
    const connection = await signIn(reached, over).catch((error: unknown) => {
      const { seat } = reached
      // What was granted has ended: the next try asks again.
      if (error instanceof Refused && error.code === 'workspace_unknown')
        table.end(seat, seat.lease)
      if (closing.aborted) throw new Refused('shutting_down', 'Please try again in a moment.')
      throw error
    })
    try {
      const opened = await openChannel(connection, order)
      return serve(connection, opened, reached.seat.activity, order, over)
    } catch (error) {
      connection.socket.destroy()
      const reason = error instanceof Error ? error.message : String(error)
      throw new Refused(
        'conflict',
        `The SSH server in the workspace does not begin the session: ${reason}`,
      )
    }
  }

  function serve(
    { client, socket }: ServerConnection,
    { channel, closed, end: said }: Opened,
    activity: { touch(): void },
    { printed }: ProcessOrder,
    over: AbortSignal,
  ): ContainerProcess {
    const failed = (): void => void socket.destroy()
    const keys = watchKeyExchange({ client, socket, exchangeMs, setTimer, failed })
    const sent = createDrained(socket)
    const drained = (): Promise<void> => keys.over().then(sent)
    const send = createSend(channel, drained, AbortSignal.any([over, closed]))
    const look = boundOf(socket, channel)

    /** Output and errors share the window of the client: one piece at a time. */
    let before: Promise<void> = Promise.resolve()
    async function pass(stream: Readable, kind: 'output' | 'errors'): Promise<void> {
      const pieces = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
      for await (const bytes of pieces) {
        activity.touch()
        before = before.then(() => printed(kind, bytes))
        await before
        look()
      }
    }

    function end(): void {
      client.end()
      // It may be frozen, or not want to end.
      setTimer(endMs, () => void socket.destroy())
    }
    let leaving: Disposable | undefined
    const left = Promise.withResolvers<undefined>()
    function leave(): void {
      if (closed.aborted || leaving !== undefined) return
      left.resolve(undefined)
      signal(channel, 'HUP')
      leaving = setTimer(closing.aborted ? 0 : graceMs, () => {
        signal(channel, 'KILL')
        end()
      })
    }
    async function untilEnd(): Promise<ProcessEnd | undefined> {
      try {
        await Promise.all([pass(channel, 'output'), pass(channel.stderr, 'errors')])
        // The server may say how the process ended after the last bytes.
        if (!closed.aborted)
          await new Promise((resolve) => closed.addEventListener('abort', resolve))
        return said()
      } finally {
        over.removeEventListener('abort', leave)
        leaving?.[Symbol.dispose]()
        end()
      }
    }
    over.addEventListener('abort', leave, { once: true })
    const ended = Promise.race([untilEnd(), left.promise])
    if (over.aborted) leave()
    return {
      ended,
      async write(bytes) {
        activity.touch()
        await send(channel, bytes)
        return channel.writable && !closed.aborted
      },
      endInput: () => void channel.end(),
      resize: ({ columns, rows }) =>
        tell(channel, (protocol, id) => protocol.windowChange(id, rows, columns, 0, 0)),
      signal(name) {
        const known = sessionSignals.find((each) => each === name.replace(/^SIG/, ''))
        if (known !== undefined) signal(channel, known)
      },
      destroy: leave,
    }
  }
}

/** Of a channel of ssh2 1.17, which sends neither once the input has ended. */
interface Inside {
  readonly outgoing: { readonly id: number; readonly state: string }
  readonly _client: {
    readonly _protocol: {
      signal(channel: number, name: string): void
      windowChange(channel: number, rows: number, columns: number, height: 0, width: 0): void
    }
  }
}

function tell(
  channel: ClientChannel,
  send: (to: Inside['_client']['_protocol'], id: number) => void,
) {
  const { outgoing, _client } = channel as unknown as Inside
  if (outgoing.state === 'open' || outgoing.state === 'eof') send(_client._protocol, outgoing.id)
}

const signal = (channel: ClientChannel, name: SessionSignal): void =>
  tell(channel, (protocol, id) => protocol.signal(id, name))

const isSession = ({ purpose: { type } }: ProcessOrder): boolean =>
  type === 'shell' || type === 'command' || type === 'files'

/** Stops reading from the server while too much of it waits for the client. @returns looks whether it may go on */
function boundOf(socket: Socket, channel: ClientChannel): () => void {
  let isHeld = false
  const look = (): void => {
    const kept = costOf(channel) + costOf(channel.stderr)
    if (kept > mostKept && !isHeld) socket.pause()
    else if (kept < mostKept / 2 && isHeld) socket.resume()
    isHeld = kept > mostKept || (isHeld && kept >= mostKept / 2)
  }
  socket.on('data', () => {
    look()
    if (socket.writableLength > mostUnsent) socket.destroy()
  })
  return look
}

/** ssh2 keeps each packet by itself, however small. */
function costOf(stream: Readable): number {
  const { buffer } = (stream as unknown as { _readableState: { buffer: readonly unknown[] } })
    ._readableState
  return stream.readableLength + buffer.length * pieceCost
}

interface Opened {
  readonly channel: ClientChannel
  readonly closed: AbortSignal
  /** What the server has said of it. */
  readonly end: () => ProcessEnd | undefined
}

function openChannel(
  { client }: ServerConnection,
  { purpose, environment = {}, terminal, terminalModes }: ProcessOrder,
): Promise<Opened> {
  const { promise, resolve, reject } = Promise.withResolvers<Opened>()
  // A short session may end in the packet in which it begins.
  const done = (error: Error | undefined, channel: ClientChannel): void => {
    if (error !== undefined) return reject(error)
    const closed = new AbortController()
    let end: ProcessEnd | undefined
    channel.once('exit', (...told: Parameters<typeof endOf>) => (end = endOf(...told)))
    channel.once('close', () => closed.abort())
    resolve({ channel, closed: closed.signal, end: () => end })
  }
  const { TERM = '', ...others } = environment
  const term = /^[!-~]+$/.test(TERM) ? TERM : 'dumb'
  const pty: PseudoTtyOptions | undefined = terminal && {
    cols: terminal.columns,
    rows: terminal.rows,
    width: 0,
    height: 0,
    term,
    // ssh2 takes the bytes as they are; its types do not say so.
    modes: (terminalModes ?? {}) as TerminalModes,
  }
  const env = pty === undefined ? environment : others
  if (purpose.type === 'command')
    client.exec(purpose.command, { env, ...(pty === undefined ? {} : { pty }) }, done)
  else if (purpose.type === 'files') client.subsys('sftp', done)
  else client.shell(pty ?? false, { env }, done)
  return promise
}

/** The signals that SSH has a name for (RFC 4254, section 6.10). */
const namedSignals: ReadonlySet<string> = new Set([...sessionSignals, 'FPE', 'ILL', 'SEGV'])
const unknownCode = 255

function endOf(
  code: number | null,
  signal: string | undefined,
  isDumped = false,
  description = '',
): ProcessEnd {
  if (code !== null) return { code }
  const name = (signal ?? '').replace(/^SIG/, '')
  return namedSignals.has(name) ? { signal: name, isDumped, description } : { code: unknownCode }
}
