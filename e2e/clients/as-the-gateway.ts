// Sends requests directly to one director, with the headers of a gateway: for proofs about a certain director.
import type { Deployment } from '../deployment/deployment.ts'
import { send, type Answer } from './http.ts'
import { navigation, type Extras } from './people.ts'
import type { Place } from './place.ts'
import { openWebSocket, type OpenWebSocket } from './web-socket.ts'

export interface AskingOptions {
  /** The host name of the request. Default: the host name of the site. */
  readonly host?: string
  readonly groups?: string
}

export interface GatewayLike {
  readonly user: string
  ask(path: string, extras?: Extras): Promise<Answer>
  /** What a browser sends when a person opens an address. */
  navigate(path: string, extras?: Extras): Promise<Answer>
  /** The button of Berth's own pages. */
  press(action: 'start' | 'cancel'): Promise<Answer>
  webSocket(path: string): Promise<OpenWebSocket>
}

export function asTheGateway(
  berth: Deployment,
  place: Place,
  user: string,
  { host, groups = 'staff' }: AskingOptions = {},
): GatewayLike {
  const { origin } = host === undefined ? berth.site : berth.siteAt(host)
  const identity = {
    'berth-gateway-secret': berth.gatewaySecret,
    'x-forwarded-preferred-username': user,
    'x-forwarded-user': `u-${user}`,
    'x-forwarded-groups': groups,
  }
  function ask(path: string, extras: Extras = {}): Promise<Answer> {
    return send({
      url: new URL(path, origin),
      place,
      target: path,
      ...extras,
      headers: { accept: '*/*', ...identity, ...extras.headers },
    })
  }

  return {
    user,
    ask,
    navigate: (path, extras = {}) =>
      ask(path, { ...extras, headers: { ...navigation, ...extras.headers } }),
    press: (action) =>
      ask(`/.berth/${action}`, {
        method: 'POST',
        headers: { origin, 'sec-fetch-site': 'same-origin', 'content-length': '0' },
      }),
    webSocket: (path) =>
      openWebSocket(new URL(path, origin), place, {
        origin,
        ...identity,
      }),
  }
}
