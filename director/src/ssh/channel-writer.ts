// Writes to the channel of a client, one piece after another. It wraps three defects of ssh2 1.17: a piece that waited for
// the window of the client is kept and sent again with a later one, on the wrong stream too; an end of the channel leaves
// a waiting piece without an answer; and nothing waits for the socket, however much is in it.
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import type { ServerChannel } from 'ssh2'

export interface ChannelWriter {
  /** Resolves once the client may get more. Calls must not overlap: output and errors have one window. */
  write(to: 'output' | 'errors', bytes: Buffer): Promise<void>
}

/** The fields of a channel in which ssh2 keeps what waits for the window. */
type Kept = Partial<Record<'_chunk' | '_chunkcb' | '_chunkErr' | '_chunkcbErr', unknown>>

/** Resolves once the socket has sent what is in it. One listener serves every channel of a connection. */
export function createDrained(socket: Socket): () => Promise<void> {
  let waiting: Promise<void> | undefined
  return async () => {
    if (!socket.writableNeedDrain || socket.destroyed) return
    waiting ??= new Promise<void>((resolve) => {
      const done = (): void => {
        socket.off('drain', done).off('close', done)
        waiting = undefined
        resolve()
      }
      socket.on('drain', done).on('close', done)
    })
    await waiting
  }
}

/** @returns sends bytes on the channel, or on its errors. Resolves once there may be more. Calls must not overlap. */
export function createSend(
  channel: Writable,
  drained: () => Promise<void>,
  gone: AbortSignal,
): (stream: Writable, bytes: Buffer) => Promise<void> {
  return async (stream, bytes) => {
    if (gone.aborted || !stream.writable) return
    const sent = Promise.withResolvers<void>()
    const leave = (): void => sent.resolve()
    gone.addEventListener('abort', leave, { once: true })
    stream.write(bytes, leave)
    await sent.promise
    gone.removeEventListener('abort', leave)
    const kept = channel as Kept
    kept._chunk = kept._chunkcb = kept._chunkErr = kept._chunkcbErr = undefined
    await drained()
  }
}

export function createChannelWriter(
  channel: ServerChannel,
  drained: () => Promise<void>,
  gone: AbortSignal,
): ChannelWriter {
  const send = createSend(channel, drained, gone)
  return {
    write: (to, bytes) => send(to === 'output' ? channel : channel.stderr, bytes),
  }
}
