// Notices that a client goes away while its request is held or unanswered, without reading a byte that it has sent.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

export interface HangUpWatch extends Disposable {
  readonly signal: AbortSignal
}

/** For an upgrade. Dispose it before the socket is read. */
export function watchHangUp(socket: Socket): HangUpWatch {
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  // A listener for 'readable' makes the stream read ahead, so it notices the end of the connection.
  const readAhead = (): void => void socket.read(0)
  if (socket.destroyed || socket.readableEnded) abort()
  socket.on('close', abort)
  socket.on('end', abort)
  socket.on('readable', readAhead)
  return {
    signal: gone.signal,
    [Symbol.dispose]() {
      socket.off('close', abort)
      socket.off('end', abort)
      socket.off('readable', readAhead)
    },
  }
}

export function watchResponseClose(res: ServerResponse): HangUpWatch {
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  if (res.closed) abort()
  res.on('close', abort)
  return { signal: gone.signal, [Symbol.dispose]: () => void res.off('close', abort) }
}
