// A response on the bare socket of an upgrade that did not come about: framed by Node, and the last one on it.
import { ServerResponse, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'

/** The socket ends with the response. Also for the caller's own answers to an upgrade. */
export function createSocketResponse(req: IncomingMessage, socket: Socket): ServerResponse {
  const res = new ServerResponse(req)
  res.shouldKeepAlive = false
  res.assignSocket(socket)
  // The server has let go of the socket, so nobody else tells.
  const onDrain = () => res.emit('drain')
  socket.on('drain', onDrain)
  res.once('finish', () => {
    socket.off('drain', onDrain)
    res.detachSocket(socket)
    socket.destroySoon()
  })
  // What the client sends from here on is nobody's.
  socket.resume()
  return res
}
