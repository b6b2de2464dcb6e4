// Where a request leads by the port it came to, its host (exact, in a Map) and its path, from one snapshot of the
// spawner's routes. Overlaps are the spawner's to refuse: here the first of two has it.
import { ownPathPrefix, type Route } from '@berth/shared/contract'
import { createIsBackground, type IsBackground } from './background-requests.ts'
import { hostName } from './host-name.ts'
import { liesBelow } from './path-prefix.ts'

export interface TemplateRoute extends Route {
  readonly isBackground: IsBackground
  /**
   * What an `Authorization` is that did not prove the gateway: the application's own business; the gateway's ID token
   * for this application; or that token for another one. Where any application gets it the gateway sets it for all.
   */
  readonly authorization: 'application' | 'id-token' | 'nobody'
}

export type Destination =
  | {
      readonly kind: 'template'
      readonly route: TemplateRoute
      /** The prefix of the path below which it lies; empty at the root of a host. */
      readonly base: string
    }
  | { readonly kind: 'portal' }
  | { readonly kind: 'unknown' }

type TemplateDestination = Extract<Destination, { kind: 'template' }>

export interface RouteQuery {
  /** The Host header as it came. */
  readonly host: string | undefined
  /** Path and query as they came. */
  readonly target: string
  /** The director's port that it came to. */
  readonly port?: number | undefined
}

export interface RouteTable {
  find(asked: RouteQuery): Destination
  /** Whether this port leads to one route alone, whatever the host. */
  isRoutePort(port: number | undefined): boolean
  /** The ports, besides the director's first, that routes ask for. */
  readonly ports: ReadonlySet<number>
}

export interface Sites {
  /** With one, only its host and those that routes name lead anywhere. */
  readonly publicUrl?: string | undefined
  /** Its host never leads to a workspace. */
  readonly portalUrl?: string | undefined
  /** Ports that the director needs itself: no route has one of them for its own. */
  readonly takenPorts?: readonly number[]
}

/** What one host, or one port, leads to. */
interface Site {
  /** The longest prefix first. */
  readonly paths: TemplateDestination[]
  whole?: TemplateDestination
}

const portal: Destination = { kind: 'portal' }
const unknown: Destination = { kind: 'unknown' }
const assetsPrefix = `${ownPathPrefix}assets/`

export function createRouteTable(routes: readonly Route[], sites: Sites): RouteTable {
  const publicHost = hostOfUrl(sites.publicUrl)
  const portalHost = hostOfUrl(sites.portalUrl)
  const byHost = new Map<string, Site>()
  /** Of `*.name`, by `name`. */
  const byDomain = new Map<string, Site>()
  const byPort = new Map<number, Site>()
  const elsewhere: Site = { paths: [] }
  const someGetIdTokens = routes.some(({ passTokens }) => passTokens.includes('id'))

  for (const given of routes) {
    const route = complete(given, someGetIdTokens)
    const { listenPort, hosts } = route
    if (listenPort !== undefined && sites.takenPorts?.includes(listenPort) !== true)
      add(siteIn(byPort, listenPort), route)
    for (const host of hosts.map((name) => name.toLowerCase()))
      if (host.startsWith('*.')) add(siteIn(byDomain, host.slice(2)), route)
      else add(siteIn(byHost, host), route)
    if (listenPort === undefined && hosts.length === 0) add(elsewhere, route)
  }
  if (publicHost !== undefined) join(siteIn(byHost, publicHost), elsewhere)
  for (const site of [elsewhere, ...byHost.values(), ...byDomain.values(), ...byPort.values()])
    site.paths.sort((a, b) => b.base.length - a.base.length)

  function siteOf(name: string | undefined, port: number | undefined): Site | undefined {
    const own = port === undefined ? undefined : byPort.get(port)
    if (own !== undefined) return own
    const named = name === undefined ? undefined : (byHost.get(name) ?? byLabel(name))
    return named ?? (publicHost === undefined ? elsewhere : undefined)
  }

  /** Exactly one label may stand before the dot. */
  function byLabel(name: string): Site | undefined {
    const dot = byDomain.size === 0 ? -1 : name.indexOf('.')
    return dot < 1 ? undefined : byDomain.get(name.slice(dot + 1))
  }

  return {
    find({ host, target, port }) {
      const name = hostName(host)
      // First, so that no route takes the portal's name, nor the same with the dot of the root.
      if (name !== undefined && name.replace(/\.$/, '') === portalHost) return portal
      const site = siteOf(name, port)
      return (site === undefined ? undefined : findIn(site, target)) ?? unknown
    },
    isRoutePort: (port) => port !== undefined && byPort.has(port),
    ports: new Set(byPort.keys()),
  }
}

function complete(route: Route, someGetIdTokens: boolean): TemplateRoute {
  const mine = route.passTokens.includes('id')
  return {
    ...route,
    isBackground: createIsBackground(route.backgroundRequests),
    authorization: mine ? 'id-token' : someGetIdTokens ? 'nobody' : 'application',
  }
}

function siteIn<Key>(known: Map<Key, Site>, key: Key): Site {
  const site = known.get(key) ?? { paths: [] }
  known.set(key, site)
  return site
}

function add(site: Site, route: TemplateRoute): void {
  const destination = { kind: 'template', route, base: route.path?.prefix ?? '' } as const
  if (route.path === undefined) site.whole ??= destination
  else if (site.paths.every(({ base }) => base !== destination.base)) site.paths.push(destination)
}

function join(site: Site, other: Site): void {
  for (const { route } of other.paths) add(site, route)
  if (other.whole !== undefined) site.whole ??= other.whole
}

function findIn({ paths, whole }: Site, target: string): Destination | undefined {
  for (const destination of paths) if (liesBelow(target, destination.base)) return destination
  if (whole !== undefined || !target.startsWith(assetsPrefix)) return whole
  // Where nothing has the root, the pages of what lies below it still find their style there.
  const [any] = paths
  return any === undefined ? undefined : { ...any, base: '' }
}

function hostOfUrl(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).hostname.toLowerCase()
}
