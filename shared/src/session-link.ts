// One side of the connection that carries a session: frames in order, and back pressure in both directions by windows. The
// connection itself is always read, so that the end of the other side is noticed even while no bytes may be passed on.
import type { Duplex } from 'node:stream'
import {
  createFrameReader,
  decodeNumber,
  encodeFrame,
  encodeNumber,
  firstWindow,
  frameTypes,
  type FrameType,
} from './session-frames.ts'

export interface SessionLinkEvents {
  /** Bytes have come. The other side may send as many again once the promise resolves. Calls never overlap. */
  readonly data: (type: FrameType, bytes: Buffer) => Promise<void>
  /** Any other frame, in order with the bytes, except for `resize` and `signal`, which overtake them. */
  readonly control: (type: number, payload: Buffer) => void
  /** Called once, after everything that came before: the connection has ended, with or without an error. */
  readonly closed: (error: Error | undefined) => void
}

export interface SessionLink {
  send(type: FrameType, payload?: Uint8Array): void
  /** Resolves to false if the connection has ended; otherwise to true once all bytes were within the window. */
  write(type: FrameType, bytes: Buffer): Promise<boolean>
  /** Sends what is under way, and ends the connection. */
  end(): void
  destroy(): void
}

const dataTypes: ReadonlySet<number> = new Set([
  frameTypes.input,
  frameTypes.output,
  frameTypes.errors,
])
const longestPiece = 32 * 1024
/** Each side always reads, and bytes are bound by the window. So one that has more to read than this has stopped. */
const mostUnsent = 2 * 1024 * 1024
/** A window is given back in parts of this size, so that a flood of small frames costs few answers. */
const windowPart = firstWindow / 4

export function createSessionLink(
  socket: Duplex,
  head: Buffer,
  events: SessionLinkEvents,
): SessionLink {
  const read = createFrameReader()
  let mayReceive = firstWindow
  let consumed = 0
  let maySend = firstWindow
  let isClosed = false
  let moreWindow = Promise.withResolvers<void>()
  /** What has come and is not handled yet, in order. */
  let handled: Promise<void> = Promise.resolve()

  function fail(reason: string): void {
    socket.destroy(new Error(reason))
  }

  function onChunk(chunk: Buffer): void {
    try {
      for (const { type, payload } of read(chunk)) onFrame(type, payload)
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)))
    }
  }

  function onFrame(type: number, payload: Buffer): void {
    if (type === frameTypes.window) {
      maySend += decodeNumber(payload) ?? 0
      moreWindow.resolve()
      moreWindow = Promise.withResolvers()
      return
    }
    if (type === frameTypes.resize || type === frameTypes.signal)
      return events.control(type, payload)
    if (!dataTypes.has(type)) {
      handled = handled.then(() => events.control(type, payload))
      return
    }
    mayReceive -= payload.length
    if (mayReceive < 0) return fail('the other side sent more bytes than it may')
    handled = handled.then(() => take(type as FrameType, payload))
  }

  async function take(type: FrameType, bytes: Buffer): Promise<void> {
    await events.data(type, bytes)
    consumed += bytes.length
    if (consumed < windowPart) return
    mayReceive += consumed
    send(frameTypes.window, encodeNumber(consumed))
    consumed = 0
  }

  function send(type: FrameType, payload?: Uint8Array): void {
    if (isClosed || !socket.writable) return
    socket.write(encodeFrame(type, payload))
    if (socket.writableLength > mostUnsent) fail('the other side does not read')
  }

  let failure: Error | undefined
  function onClose(): void {
    isClosed = true
    moreWindow.resolve()
    void handled.then(() => events.closed(failure))
  }

  socket.on('data', onChunk)
  socket.on('error', (error: Error) => {
    failure ??= error
  })
  // Neither side goes on after the other has ended.
  socket.on('end', () => socket.end())
  socket.on('close', onClose)
  if (head.length > 0) onChunk(head)

  return {
    send,
    async write(type, bytes) {
      for (let at = 0; at < bytes.length && !isClosed;) {
        if (maySend === 0) {
          await moreWindow.promise
          continue
        }
        const length = Math.min(longestPiece, maySend, bytes.length - at)
        maySend -= length
        send(type, bytes.subarray(at, at + length))
        at += length
      }
      return !isClosed
    },
    end: () => void socket.end(),
    destroy: () => void socket.destroy(),
  }
}
