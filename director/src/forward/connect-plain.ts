// Opens a connection of plain TCP to a workspace, within a deadline.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { abortAfter } from '@berth/shared/deadline'
import type { Address } from '@berth/shared/contract'

/**
 * The socket stays open in one direction when the other one has ended, and reads ahead one piece at a time.
 *
 * @throws when it is refused, or not accepted in time
 */
export async function connectPlain(
  { host, port }: Address,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Socket> {
  const options = { host, port, noDelay: true, keepAlive: true, allowHalfOpen: true }
  const socket = connect({ ...options, ...oneAtATime })
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, abortAfter(timeoutMs)]) })
    return socket
  } catch (error) {
    // A late answer to the attempt has no reader.
    socket.on('error', () => undefined)
    socket.destroy()
    throw error
  }
}

/** A stream counts bytes, not pieces: a peer that sends single bytes would fill it with thousands of buffers. */
export const oneAtATime = { highWaterMark: 1 }
