// The requests that an application's page makes by itself, such as polling: they are not use and start no workspace.
import type { BackgroundRequest } from '@berth/shared/contract'
import { createGlob, type Matches } from './glob.ts'
import { pathOf } from './path-prefix.ts'

/** @param bodyBytes infinite if the head of the request does not tell */
export type IsBackground = (method: string, target: string, bodyBytes: number) => boolean

interface Rule {
  readonly matches: Matches
  /** The pattern has a query: it is compared with the query as well. */
  readonly withQuery: boolean
  readonly maxBytes: number
}

/** @param patterns method and path, such as `GET /api/*`; a pattern without a method matches every method */
export function createIsBackground(patterns: readonly BackgroundRequest[]): IsBackground {
  const byMethod = new Map<string, Rule[]>()
  const anyMethod: Rule[] = []
  for (const pattern of patterns) {
    const { request, maxBytes } =
      typeof pattern === 'string' ? { request: pattern, maxBytes: Infinity } : pattern
    const [first = '', second] = request.trim().split(/ +/)
    if (first === '') continue
    const place = second ?? first
    const rule = { matches: createGlob(place), withQuery: place.includes('?'), maxBytes }
    if (second === undefined || first === '*') anyMethod.push(rule)
    else byMethod.set(first.toUpperCase(), [...(byMethod.get(first.toUpperCase()) ?? []), rule])
  }
  if (byMethod.size === 0 && anyMethod.length === 0) return () => false

  return (method, target, bodyBytes) => {
    const path = pathOf(target)
    const holds = ({ matches, withQuery, maxBytes }: Rule) =>
      bodyBytes <= maxBytes && matches(withQuery ? target : path)
    return (byMethod.get(method)?.some(holds) ?? false) || anyMethod.some(holds)
  }
}
