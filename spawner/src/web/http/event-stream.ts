// An open stream of server-sent events. Heartbeats keep the stream alive. The server drops it when its reader stops
// reading.
import type { Response } from 'express'
import { eventComment, eventStreamHeaders, formatEvent } from '@berth/shared/server-sent-events'

const beatEveryMs = 15_000
const keepAliveMs = 30_000

export interface EventStream {
  send(event: string, data: unknown): void
  /** False while the reader is behind. `onDrain` is called when the reader has caught up. */
  readonly flowing: boolean
  readonly closed: boolean
  close(): void
}

export interface EventStreamHooks {
  /** Called once when the stream ends, from either side. */
  onClose(): void
  onDrain?(): void
  /** What is written as a heartbeat, instead of a comment. */
  readonly beat?: string
}

/** @param maxPendingBytes how much may wait in memory for a slow reader; above that the stream is dropped */
export function openEventStream(
  response: Response,
  maxPendingBytes: number,
  hooks: EventStreamHooks,
): EventStream {
  let closed = false
  let behind = false

  function finish(): void {
    if (closed) return
    closed = true
    clearInterval(beats)
    hooks.onClose()
  }

  function write(text: string): void {
    if (closed) return
    response.write(text)
    if (response.writableLength > maxPendingBytes) drop()
  }

  function drop(): void {
    response.destroy()
    finish()
  }

  // A reader that has read nothing for the time of two heartbeats is not slow: it does not read at all.
  function keepAlive(): void {
    if (response.writableNeedDrain && behind) {
      drop()
      return
    }
    behind = response.writableNeedDrain
    if (!behind) write(hooks.beat ?? eventComment)
  }

  response.once('close', finish)
  response.on('error', finish)
  response.on('drain', () => hooks.onDrain?.())
  response.socket?.setKeepAlive(true, keepAliveMs)
  response.writeHead(200, eventStreamHeaders)
  // The browser should reconnect soon. By default it waits several seconds.
  response.write('retry: 1000\n\n')
  const beats = setInterval(keepAlive, beatEveryMs)

  return {
    send: (event, data) => write(formatEvent(event, data)),
    get flowing() {
      return !response.writableNeedDrain
    },
    get closed() {
      return closed
    },
    close() {
      response.end()
      finish()
    },
  }
}
