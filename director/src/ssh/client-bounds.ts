// What one client may cost while it is connected. ssh2 1.17 keeps every answer for a client that does not read, keeps all
// output while keys are exchanged, and lets a client exchange them without end.
import type { Socket } from 'node:net'
import type { SetTimer } from '@berth/shared/timer'
import type { Connection } from 'ssh2'
import { createDrained } from './channel-writer.ts'

export interface ClientBounds {
  /** Resolves once the client may get more: its socket has sent what is in it, and no keys are being exchanged. */
  readonly drained: () => Promise<void>
  /** Has the keys changed. */
  readonly rekey: () => void
  /** Ends the connection, also of a client that does not read. Without a reason, it is not logged. */
  readonly end: (why?: string) => void
}

/** Where ssh2 keeps what it has sent of an exchange of keys, and what waits for the end of it. */
interface Inside {
  readonly _protocol: { readonly _kexinit?: unknown; readonly _queue?: readonly unknown[] }
}

/** Nothing is read from a client while so much is to be sent to it. */
const mostUnsent = 1024 * 1024
/** Packets that wait for the end of an exchange of keys: answers, and one piece of each channel. */
const mostWaiting = 4_096
/** A client may begin an exchange for each so many bytes, and a few more. OpenSSH's `RekeyLimit` counts in larger parts. */
const bytesForAnExchange = 16 * 1024
const exchangesBesides = 32
/** What the end of a connection may take. */
const endMs = 5_000

export function boundClient(deps: {
  readonly client: Connection
  readonly socket: Socket
  /** What an exchange of keys may take. */
  readonly exchangeMs: number
  readonly setTimer: SetTimer
  readonly ended: (why: string) => void
}): ClientBounds {
  const { client, socket, exchangeMs, setTimer } = deps
  const protocol = (client as unknown as Inside)._protocol
  const socketDrained = createDrained(socket)
  let exchanges = 0
  let exchange: { readonly done: PromiseWithResolvers<void>; readonly late: Disposable } | undefined
  let isEnding = false

  function end(why?: string): void {
    if (isEnding) return
    isEnding = true
    if (why !== undefined) deps.ended(why)
    client.end()
    exchange?.done.resolve()
    const late = setTimer(endMs, () => socket.destroy())
    socket.once('close', () => late[Symbol.dispose]())
  }

  function look(): void {
    if (protocol._kexinit !== undefined && exchange === undefined) {
      const late = setTimer(exchangeMs, () => end('its exchange of keys took too long'))
      exchange = { late, done: Promise.withResolvers() }
    }
    if ((protocol._queue?.length ?? 0) > mostWaiting) end('it has too much wait for new keys')
    if (socket.writableLength <= mostUnsent || socket.isPaused()) return
    socket.pause()
    void socketDrained().then(() => socket.resume())
  }

  function exchanged(): void {
    exchange?.late[Symbol.dispose]()
    exchange?.done.resolve()
    exchange = undefined
    exchanges += 1
    const bytes = socket.bytesRead + socket.bytesWritten
    if (exchanges > exchangesBesides + bytes / bytesForAnExchange)
      end('it exchanges keys without need')
  }

  client.on('handshake', exchanged)
  socket.on('data', look)
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      exchange?.late[Symbol.dispose]()
      exchange?.done.resolve()
      resolve()
    })
  })

  return {
    async drained() {
      look()
      while (exchange !== undefined && !isEnding && !socket.destroyed) await exchange.done.promise
      // ssh2 would keep what is still written.
      await (isEnding ? closed : socketDrained())
    },
    rekey() {
      client.rekey()
      look()
    },
    end,
  }
}
