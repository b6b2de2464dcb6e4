// Where to connect: `*.localhost` does not resolve in Node, and the second engine of a test is reached through a relay.
import { connect, type Socket } from 'node:net'

export type Place =
  { readonly host: string; readonly port: number } | { readonly socketPath: string }

export function connectTo(place: Place): Socket {
  return 'socketPath' in place ? connect(place.socketPath) : connect(place.port, place.host)
}
