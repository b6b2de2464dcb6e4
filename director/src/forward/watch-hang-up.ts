// Notices that a client goes away while its upgrade is held or unanswered, without taking a byte of what it may have sent.
import type { Socket } from 'node:net'

export interface HangUpWatch extends Disposable {
  readonly signal: AbortSignal
}

export function watchHangUp(socket: Socket): HangUpWatch {
  const gone = new AbortController()
  const abort = (): void => gone.abort()
  // Waiting for something to read makes the stream look at the socket; with nothing before it, an end shows.
  const look = (): void => void socket.read(0)
  if (socket.destroyed || socket.readableEnded) abort()
  socket.on('close', abort)
  socket.on('end', abort)
  socket.on('readable', look)
  return {
    signal: gone.signal,
    [Symbol.dispose]() {
      socket.off('close', abort)
      socket.off('end', abort)
      socket.off('readable', look)
    },
  }
}
