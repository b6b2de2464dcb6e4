// Finds out whether a server speaks TLS. It is asked after an answer that a TLS server may have given to plain HTTP.
import { connect } from 'node:tls'
import type { Address } from '@berth/shared/contract'

/** Never rejects. */
export function speaksTls({ host, port }: Address, signal: AbortSignal): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect({ host, port, rejectUnauthorized: false })
  const end = (spoke: boolean): void => {
    signal.removeEventListener('abort', onAbort)
    resolve(spoke)
    socket.destroy()
  }
  const onAbort = (): void => end(false)
  socket.once('secureConnect', () => end(true))
  socket.on('error', () => end(false))
  socket.once('close', () => end(false))
  if (signal.aborted) end(false)
  else signal.addEventListener('abort', onAbort)
  return promise
}
