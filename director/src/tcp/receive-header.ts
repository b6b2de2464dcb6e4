// Takes the header of the PROXY protocol from the beginning of a connection. What follows the header stays in the socket.
import type { Socket } from 'node:net'
import type { SetTimer } from '@berth/shared/timer'
import { readProxyHeader, type ProxyHeader } from './proxy-header.ts'

/** `late`: it was not whole at the deadline. `gone`: the connection ended before. The socket is destroyed then. */
export type ReceivedHeader =
  Exclude<ProxyHeader, { status: 'incomplete' }> | { readonly status: 'late' | 'gone' }

/** Never rejects. @param withinMs from now on, for the whole header */
export async function receiveHeader(
  socket: Socket,
  withinMs: number,
  setTimer: SetTimer,
): Promise<ReceivedHeader> {
  let status: 'late' | 'gone' = 'gone'
  const deadline = setTimer(withinMs, () => {
    status = 'late'
    socket.destroy()
  })
  let bytes = Buffer.alloc(0)
  try {
    const pieces = socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
    for await (const piece of pieces) {
      bytes = Buffer.concat([bytes, piece])
      const header = readProxyHeader(bytes)
      if (header.status === 'incomplete') continue
      if (header.status === 'complete' && bytes.length > header.bytes)
        socket.unshift(bytes.subarray(header.bytes))
      return header
    }
  } catch {
    // The listener of errors has logged it.
  } finally {
    deadline[Symbol.dispose]()
  }
  socket.destroy()
  return { status }
}
