// Which template a host name leads to: exact, in a Map, from one snapshot of the spawner's routes.
import type { Route } from '@berth/shared/contract'
import { createIsBackground, type IsBackground } from './background-requests.ts'
import { hostName } from './host-name.ts'

export interface TemplateRoute extends Route {
  readonly isBackground: IsBackground
}

export type Destination =
  | { readonly kind: 'template'; readonly route: TemplateRoute }
  | { readonly kind: 'portal' }
  | { readonly kind: 'unknown' }

export interface RouteTable {
  /** @param host the Host header as it came */
  find(host: string | undefined): Destination
}

export interface Sites {
  /** With one, only its host and those that routes name lead anywhere. */
  readonly publicUrl?: string | undefined
  /** Its host never leads to a workspace. */
  readonly portalUrl?: string | undefined
}

const portal: Destination = { kind: 'portal' }
const unknown: Destination = { kind: 'unknown' }

export function createRouteTable(routes: readonly Route[], sites: Sites): RouteTable {
  const publicHost = hostOfUrl(sites.publicUrl)
  const destinations = new Map<string, Destination>()
  let elsewhere: Destination = unknown
  for (const route of routes) {
    const destination: Destination = {
      kind: 'template',
      route: { ...route, isBackground: createIsBackground(route.backgroundRequests) },
    }
    if (route.hosts.length === 0 && elsewhere === unknown) elsewhere = destination
    for (const host of route.hosts)
      if (!destinations.has(host.toLowerCase())) destinations.set(host.toLowerCase(), destination)
  }
  if (publicHost !== undefined && !destinations.has(publicHost))
    destinations.set(publicHost, elsewhere)
  const portalHost = hostOfUrl(sites.portalUrl)
  // Last, so that no route takes the portal's name.
  if (portalHost !== undefined) destinations.set(portalHost, portal)

  return {
    find(host) {
      const name = hostName(host)
      const found = name === undefined ? undefined : destinations.get(name)
      return found ?? (publicHost === undefined ? elsewhere : unknown)
    },
  }
}

function hostOfUrl(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).hostname.toLowerCase()
}
