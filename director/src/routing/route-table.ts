// Finds the route of a request by its port, its host (exact, in a Map) and its path, in one snapshot of the spawner's routes.
// The spawner refuses overlapping routes; here the first one wins.
import { ownPathPrefix, type Route } from '@berth/shared/contract'
import { createIsBackground, type IsBackground } from './background-requests.ts'
import { hostName } from './host-name.ts'
import { liesBelow } from './path-prefix.ts'
import { createFrameRules, type FrameRulesOf } from './quiet-frames.ts'

export interface TemplateRoute extends Route {
  readonly isBackground: IsBackground
  readonly frameRules: FrameRulesOf
  /**
   * What an `Authorization` that did not prove the gateway is: the application's own; the gateway's ID token for this
   * application; or that token for another application. If one application gets the token, the gateway sends it to all.
   */
  readonly authorization: 'application' | 'id-token' | 'withheld'
}

export type Destination =
  | {
      readonly kind: 'template'
      readonly route: TemplateRoute
      /** The path prefix of the route; empty at the root of a host. */
      readonly base: string
    }
  | { readonly kind: 'portal' }
  /** The root of a known host that no route has: only the portal shows what is offered. */
  | { readonly kind: 'choice' }
  /** `host`: no route has this host name. Otherwise none has this path of it. */
  | { readonly kind: 'unknown'; readonly what: 'host' | 'path' }

type TemplateDestination = Extract<Destination, { kind: 'template' }>

export interface RouteQuery {
  /** The Host header as it came. */
  readonly host: string | undefined
  /** Path and query as they came. */
  readonly target: string
  /** The director's port that the request came to. */
  readonly port?: number | undefined
}

export interface RouteTable {
  find(asked: RouteQuery): Destination
  /** Whether this port leads to one route alone, for every host. */
  isRoutePort(port: number | undefined): boolean
  /** Whether a template names this group, or may name it. A person's other groups decide nothing. */
  readonly isNamedGroup: (group: string) => boolean
  /** The ports that routes name, besides the director's own. */
  readonly ports: ReadonlySet<number>
}

export interface Sites {
  /** With a public URL, only its host and the hosts that routes name lead to a workspace. */
  readonly publicUrl?: string | undefined
  /** Its host never leads to a workspace. */
  readonly portalUrl?: string | undefined
  /** The ports that the director itself uses: a route cannot have one of them. */
  readonly takenPorts?: readonly number[]
}

/** The routes of one host, or of one port. */
interface Site {
  /** Sorted: the longest prefix first. */
  readonly paths: TemplateDestination[]
  whole?: TemplateDestination
}

const portal: Destination = { kind: 'portal' }
const choice: Destination = { kind: 'choice' }
const unknownHost: Destination = { kind: 'unknown', what: 'host' }
const unknownPath: Destination = { kind: 'unknown', what: 'path' }
const assetsPrefix = `${ownPathPrefix}assets/`

/** Whether requests of HTTP lead to it. */
export function isOfTheWeb({ scheme = 'http', tcp }: Route): boolean {
  return tcp === undefined && (scheme === 'http' || scheme === 'https')
}

/** @param furtherGroups that decide something beside the templates */
export function createRouteTable(
  routes: readonly Route[],
  sites: Sites,
  furtherGroups: readonly string[] = [],
): RouteTable {
  const publicHost = hostOfUrl(sites.publicUrl)
  const portalHost = hostOfUrl(sites.portalUrl)
  const byHost = new Map<string, Site>()
  /** The sites of `*.name`, by `name`. */
  const byDomain = new Map<string, Site>()
  const byPort = new Map<number, Site>()
  const elsewhere: Site = { paths: [] }
  const namedGroups = routes.every(({ groups }) => groups !== undefined)
    ? new Set([...furtherGroups, ...routes.flatMap(({ groups = [] }) => groups)])
    : undefined
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

  /** `*` stands for exactly one label. */
  function byLabel(name: string): Site | undefined {
    const dot = byDomain.size === 0 ? -1 : name.indexOf('.')
    return dot < 1 ? undefined : byDomain.get(name.slice(dot + 1))
  }

  return {
    find({ host, target, port }) {
      const name = hostName(host)
      // Checked first, so that no route can take the portal's host name, with or without the root's trailing dot.
      if (name !== undefined && name.replace(/\.$/, '') === portalHost) return portal
      const site = siteOf(name, port)
      if (site === undefined) return unknownHost
      const found = findIn(site, target)
      if (found !== undefined) return found
      return portalHost !== undefined && isRoot(target) ? choice : unknownPath
    },
    isRoutePort: (port) => port !== undefined && byPort.has(port),
    isNamedGroup: (group) => namedGroups === undefined || namedGroups.has(group),
    ports: new Set(byPort.keys()),
  }
}

function complete(route: Route, someGetIdTokens: boolean): TemplateRoute {
  const mine = route.passTokens.includes('id')
  return {
    ...route,
    isBackground: createIsBackground(route.backgroundRequests),
    frameRules: createFrameRules(route.quietFrames),
    authorization: mine ? 'id-token' : someGetIdTokens ? 'withheld' : 'application',
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
  // No route has the root of this host. The pages of the routes below it still load their assets from the root.
  const [any] = paths
  return any === undefined ? undefined : { ...any, base: '' }
}

function isRoot(target: string): boolean {
  return target === '/' || target.startsWith('/?')
}

function hostOfUrl(url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).hostname.toLowerCase()
}
