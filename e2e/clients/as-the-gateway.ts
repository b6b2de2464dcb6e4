// Straight to one director, with what a gateway sends: for proofs about a certain director.
import type { Deployment } from '../deployment/deployment.ts'
import { send, type Answer } from './http.ts'
import type { Extras } from './people.ts'
import type { Place } from './place.ts'
import { openWebSocket, type OpenWebSocket } from './web-socket.ts'

export interface GatewayLike {
  ask(path: string, extras?: Extras): Promise<Answer>
  webSocket(path: string): Promise<OpenWebSocket>
}

export function asTheGateway(berth: Deployment, place: Place, user: string): GatewayLike {
  const identity = {
    'berth-gateway-secret': berth.gatewaySecret,
    'x-forwarded-preferred-username': user,
    'x-forwarded-user': `u-${user}`,
    'x-forwarded-groups': 'staff',
  }
  return {
    ask: (path, extras = {}) =>
      send({
        url: new URL(path, berth.site.origin),
        place,
        target: path,
        ...extras,
        headers: { accept: '*/*', ...identity, ...extras.headers },
      }),
    webSocket: (path) =>
      openWebSocket(new URL(path, berth.site.origin), place, {
        origin: berth.site.origin,
        ...identity,
      }),
  }
}
