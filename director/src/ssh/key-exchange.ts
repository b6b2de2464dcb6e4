// The exchanges of keys of one connection. ssh2 1.17 keeps all that is written during one, however long it takes, and lets
// the other side begin one after another without end.
import type { Socket } from 'node:net'
import type { SetTimer } from '@berth/shared/timer'
import type { Client, Connection } from 'ssh2'

export interface KeyExchange {
  /** To be called before a write, and when one was begun here: ssh2 tells only of the end. */
  look(): void
  /** Resolves once none is under way, and with the connection. */
  over(): Promise<void>
}

/** Where ssh2 keeps what it has sent of an exchange, and what waits for the end of it. */
interface Inside {
  readonly _protocol: { readonly _kexinit?: unknown; readonly _queue?: readonly unknown[] }
}

export const usualExchangeMs = 20_000
/** Packets that wait for the end: answers, and one piece of each channel. */
const mostWaiting = 4_096
/** The other side may begin one for each so many bytes, and a few more. `RekeyLimit` of OpenSSH counts in larger parts. */
const bytesForOne = 16 * 1024
const mostBesides = 32

export function watchKeyExchange(deps: {
  readonly client: Connection | Client
  readonly socket: Socket
  /** What one may take. */
  readonly exchangeMs: number
  readonly setTimer: SetTimer
  /** Has to end the connection. */
  readonly failed: (why: string) => void
}): KeyExchange {
  const { client, socket, exchangeMs, setTimer, failed } = deps
  const protocol = (client as unknown as Inside)._protocol
  let count = 0
  let present: { readonly done: PromiseWithResolvers<void>; readonly late: Disposable } | undefined

  function look(): void {
    if (protocol._kexinit !== undefined && present === undefined && !socket.destroyed) {
      const late = setTimer(exchangeMs, () => failed('its exchange of keys took too long'))
      present = { late, done: Promise.withResolvers() }
    }
    if ((protocol._queue?.length ?? 0) > mostWaiting) failed('it has too much wait for new keys')
  }
  function end(): void {
    present?.late[Symbol.dispose]()
    present?.done.resolve()
    present = undefined
  }

  // The listeners of ssh2 come first.
  socket.on('data', look)
  socket.once('close', end)
  client.on('handshake', () => {
    end()
    count += 1
    if (count > mostBesides + (socket.bytesRead + socket.bytesWritten) / bytesForOne)
      failed('it exchanges keys without need')
  })
  return {
    look,
    async over() {
      look()
      while (present !== undefined) await present.done.promise
    },
  }
}
