// A response on the socket of a refused upgrade. Node frames it, and the socket ends with it.
import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** Also for the caller's own answers to an upgrade. */
export function createSocketResponse(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  res.assignSocket(socket)
  // The server has detached from the socket, so nothing else emits this.
  const onDrain = () => res.emit('drain')
  socket.on('drain', onDrain)
  res.once('finish', () => {
    socket.off('drain', onDrain)
    res.detachSocket(socket)
    socket.destroySoon()
  })
  // The client's further bytes are discarded.
  socket.resume()
  return res
}
