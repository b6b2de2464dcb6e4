// What one client may cost while it is connected. ssh2 1.17 keeps every answer for a client that does not read, and waits for
// such a client when the connection ends.
import type { Socket } from 'node:net'
import type { SetTimer } from '@berth/shared/timer'
import type { Connection } from 'ssh2'
import { createDrained } from './channel-writer.ts'
import { watchKeyExchange } from './key-exchange.ts'

export interface ClientBounds {
  /** Resolves once the client may get more: its socket has sent what is in it, and no keys are being exchanged. */
  readonly drained: () => Promise<void>
  /** Has the keys changed. */
  readonly rekey: () => void
  /** Ends the connection, also of a client that does not read. Without a reason, it is not logged. */
  readonly end: (why?: string) => void
}

/** Nothing is read from a client while so much is to be sent to it. */
const mostUnsent = 1024 * 1024
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
  const { client, socket, setTimer } = deps
  const socketDrained = createDrained(socket)
  const keys = watchKeyExchange({ ...deps, failed: end })
  let isEnding = false

  function end(why?: string): void {
    if (isEnding) return
    isEnding = true
    if (why !== undefined) deps.ended(why)
    client.end()
    const late = setTimer(endMs, () => socket.destroy())
    socket.once('close', () => late[Symbol.dispose]())
  }

  // libuv would read 2 MiB at once, which are ten thousands of small packets: others have a turn after each 64 KiB.
  socket.on('data', () => {
    socket.pause()
    const goOn = (): void => void socket.resume()
    if (socket.writableLength > mostUnsent) void socketDrained().then(goOn)
    else setImmediate(goOn)
  })
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))

  return {
    async drained() {
      await keys.over()
      // ssh2 would keep what is still written.
      await (isEnding ? closed : socketDrained())
    },
    rekey() {
      client.rekey()
      keys.look()
    },
    end,
  }
}
