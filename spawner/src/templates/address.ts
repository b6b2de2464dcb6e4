// The address at which people reach the workspaces of a template, as their browser shows it. Pure.
import type { Template } from './template.ts'

/**
 * The address of a website. The scheme and port are always those of PUBLIC_URL: all hosts lead through the same gateway.
 *
 * @returns `undefined` if Berth does not know it: without PUBLIC_URL, for a route that has any one label, and for one
 * that only a port leads to, which is behind a gateway of its own. Also for what is no website
 */
export function originOf(
  { kind, route }: Pick<Template, 'kind' | 'route'>,
  publicUrl: string | undefined,
): string | undefined {
  if (publicUrl === undefined || kind !== 'web') return undefined
  if (route.hosts.length === 0) return route.listenPort === undefined ? publicUrl : undefined
  const host = route.hosts.find((name) => !name.startsWith('*.'))
  if (host === undefined) return undefined
  const url = new URL(publicUrl)
  url.hostname = host
  return url.origin
}

/** @returns `undefined` if Berth does not know it */
export function urlOf({ origin, route }: Pick<Template, 'origin' | 'route'>): string | undefined {
  return origin === undefined ? undefined : `${origin}${route.path?.prefix ?? ''}/`
}
