// Reads and discards the rest of an upload that is not forwarded any more, within bounds. If the connection were closed
// with unread bytes, it would be reset, and the client would lose the answer.
import type { IncomingMessage } from 'node:http'

/** Beyond either bound the connection is closed. */
export interface Grace {
  readonly ms: number
  readonly bytes?: number
}

export function discardUpload(request: IncomingMessage, grace: Grace): void {
  if (request.readableEnded || request.destroyed) return
  // Also when all of it has arrived: the connection serves its next request only after all bytes are read.
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
