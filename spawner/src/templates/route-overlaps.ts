// Which ways in lead to two templates at once. As the directors read routes: the longest path of a host wins.
import type { Template, TemplateRoute } from './template.ts'

export interface Overlap {
  readonly templates: readonly [Template, Template]
  /** The field of the second that meets the first's. */
  readonly field: string
  /** What they meet at, in words. */
  readonly meeting: string
}

export interface OwnHosts {
  /** The host of PUBLIC_URL: paths without hosts lie on it. */
  readonly public: string | undefined
  readonly portal: string | undefined
}

/** Where a route is looked for: on a port, on a host, or on every host that no route names. */
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
  // The root of a host and a path on it go together; a path below another's does not.
  const pathsMeet = a === b || (a !== '' && b !== '' && (isBelow(a, b) || isBelow(b, a)))
  if (!pathsMeet) return undefined
  const there = new Set(sitesOf(first.route, hosts).map(({ name }) => name))
  const shared = sitesOf(second.route, hosts).find(({ name }) => there.has(name))
  if (shared === undefined) return undefined
  if (a === '') return { field: shared.field, meeting: shared.words }
  const paths = a === b ? `path ${a}` : `paths ${a} and ${b}`
  return { field: 'route.path', meeting: `${paths} of ${shared.words}` }
}

function sitesOf({ hosts, path, listenPort }: TemplateRoute, own: OwnHosts): readonly Site[] {
  if (hosts.length > 0)
    return hosts.map((host) => ({ name: host, words: `host ${host}`, field: 'route.hosts' }))
  if (listenPort !== undefined) return []
  const isPublic = path !== undefined && own.public !== undefined
  return isPublic
    ? [{ name: own.public, words: `host ${own.public}`, field: 'route' }]
    : [{ name: '', words: 'every host that no other template has', field: 'route' }]
}
