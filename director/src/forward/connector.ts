// Opens a connection to a workspace within its deadline, with TLS where its application speaks only that. undici's own
// timers count in half seconds.
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { buildConnector } from 'undici'

const defaultPorts: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 }

/** @param prepare called with each new socket before anything is read from it */
export function createConnector(
  timeoutMs: number,
  prepare: (socket: Socket) => void = () => undefined,
): buildConnector.connector {
  return ({ protocol, hostname, port, servername }, callback) => {
    // undici leaves out the port of an origin if it is the scheme's default.
    const number = port === '' ? (defaultPorts[protocol] ?? 80) : Number(port)
    const address = { host: hostname, port: number, noDelay: true, keepAlive: true }
    const isSecure = protocol === 'https:'
    // The certificate is not verified: the address leads into the network of one container.
    const socket = isSecure
      ? connectTls({
          ...address,
          rejectUnauthorized: false,
          ALPNProtocols: ['http/1.1'],
          ...(servername ? { servername } : {}),
        })
      : connect(address)
    const connected = isSecure ? 'secureConnect' : 'connect'
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
      socket.off(connected, onConnect)
      callback(error, null)
    }
    socket.once(connected, onConnect)
    socket.once('error', onError)
  }
}
