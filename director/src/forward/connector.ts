// Opens a connection to a workspace within its deadline. undici's own timers count in half seconds.
import { connect, type Socket } from 'node:net'
import type { buildConnector } from 'undici'

const httpPort = 80

/** @param prepare called with each new socket before anything is read from it */
export function createConnector(
  timeoutMs: number,
  prepare: (socket: Socket) => void = () => undefined,
): buildConnector.connector {
  return ({ hostname, port }, callback) => {
    // undici leaves out the port of an origin if it is the scheme's default.
    const number = port === '' ? httpPort : Number(port)
    const socket = connect({ host: hostname, port: number, noDelay: true, keepAlive: true })
    const timer = setTimeout(() => {
      socket.destroy(new Error(`no connection within ${timeoutMs} ms`))
    }, timeoutMs)
    const onConnect = () => {
      clearTimeout(timer)
      socket.off('error', onError)
      prepare(socket)
      callback(null, socket)
    }
    const onError = (error: Error) => {
      clearTimeout(timer)
      socket.off('connect', onConnect)
      callback(error, null)
    }
    socket.once('connect', onConnect)
    socket.once('error', onError)
  }
}
