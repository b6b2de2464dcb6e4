// What becomes of an upload that nobody takes any more: it is read and thrown away for a while, so that the client
// gets to read the answer. A connection closed over unread bytes is reset, and the answer lost.
import type { IncomingMessage } from 'node:http'

/** Beyond either the connection ends instead. */
export interface Grace {
  readonly ms: number
  readonly bytes?: number
}

export function discardUpload(request: IncomingMessage, grace: Grace): void {
  if (request.readableEnded || request.destroyed) return
  // Also where all of it has arrived: unread bytes would keep the connection from its next request.
  request.resume()
  if (request.complete) return
  const { socket } = request
  const { ms, bytes: mostBytes = Number.POSITIVE_INFINITY } = grace
  let bytes = 0
  const timer = setTimeout(() => socket.destroy(), ms)
  timer.unref()
  const stop = (): void => clearTimeout(timer)
  request.once('end', stop)
  request.once('close', stop)
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > mostBytes) socket.destroy()
  })
}
