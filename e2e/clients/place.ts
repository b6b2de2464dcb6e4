// Where to connect: `*.localhost` does not resolve in Node, and the second engine of a test is reached through a relay.
import { connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'

/** A server that speaks TLS, with a certificate of this authority for this name. */
export interface SecurePlace {
  readonly host: string
  readonly port: number
  readonly ca: string
  readonly servername: string
}

export type Place =
  { readonly host: string; readonly port: number } | { readonly socketPath: string } | SecurePlace

export const isSecure = (place: Place): place is SecurePlace => 'ca' in place

export function connectTo(place: Place): Socket {
  if ('socketPath' in place) return connect(place.socketPath)
  return isSecure(place) ? connectSecurely(place) : connect(place.port, place.host)
}
