// Where to connect: `*.localhost` does not resolve in Node, and an engine of a test's own is behind a relay.
import { connect, type Socket } from 'node:net'

export type Place =
  { readonly host: string; readonly port: number } | { readonly socketPath: string }

export function connectTo(place: Place): Socket {
  return 'socketPath' in place ? connect(place.socketPath) : connect(place.port, place.host)
}
