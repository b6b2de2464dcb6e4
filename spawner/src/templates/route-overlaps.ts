// Finds routes that lead to two templates at once. Directors choose the longest path of a host, and so does this.
import type { Template } from './template.ts'

export interface Overlap {
  readonly templates: readonly [Template, Template]
  /** The field of the second template that overlaps with the first template. */
  readonly field: string
  /** Where the two routes overlap, in words. */
  readonly meeting: string
}

export interface OwnHosts {
  /** The host of PUBLIC_URL. A route with a path and without hosts is on this host. */
  readonly public: string | undefined
  readonly portal: string | undefined
}

/** Where directors look for a route: on a port, on a host, or on every host that no route names. */
interface Site {
  readonly name: string
  readonly words: string
  readonly field: string
}

export function routeOverlaps(templates: readonly Template[], hosts: OwnHosts): readonly Overlap[] {
  const overlaps: Overlap[] = []
  for (const [index, second] of templates.entries())
    for (const first of templates.slice(0, index)) {
      const overlap = overlapOf(first, second, hosts)
      if (overlap !== undefined) overlaps.push({ templates: [first, second], ...overlap })
    }
  return overlaps
}

function overlapOf(
  first: Template,
  second: Template,
  hosts: OwnHosts,
): Omit<Overlap, 'templates'> | undefined {
  const port = first.route.listenPort
  if (port !== undefined && port === second.route.listenPort)
    return { field: 'route.port', meeting: `port ${port}` }
  const [a, b] = [first.route.path?.prefix ?? '', second.route.path?.prefix ?? '']
  const isBelow = (path: string, other: string): boolean => path.startsWith(`${other}/`)
  // One template may have the root of a host and another a path on it. A path below the path of another is refused.
  const pathsMeet = a === b || (a !== '' && b !== '' && (isBelow(a, b) || isBelow(b, a)))
  if (!pathsMeet) return undefined
  const there = new Set(sitesOf(first, hosts).map(({ name }) => name))
  const shared = sitesOf(second, hosts).find(({ name }) => there.has(name))
  if (shared === undefined) return undefined
  if (a === '') return { field: shared.field, meeting: shared.words }
  const paths = a === b ? `path ${a}` : `paths ${a} and ${b}`
  return { field: 'route.path', meeting: `${paths} of ${shared.words}` }
}

/** None for what no request of HTTP leads to. */
function sitesOf({ kind, route }: Template, own: OwnHosts): readonly Site[] {
  const { hosts, path, listenPort } = route
  if (kind !== 'web') return []
  if (hosts.length > 0)
    return hosts.map((host) => ({ name: host, words: `host ${host}`, field: 'route.hosts' }))
  if (listenPort !== undefined) return []
  const isPublic = path !== undefined && own.public !== undefined
  return isPublic
    ? [{ name: own.public, words: `host ${own.public}`, field: 'route' }]
    : [{ name: '', words: 'every host that no other template has', field: 'route' }]
}
