// The requests that an application's page makes by itself, such as polling: they are not use and start no workspace.
import { createGlob, type Matches } from './glob.ts'

export type IsBackground = (method: string, target: string) => boolean

/** @param patterns method and path, such as `GET /api/*`; a pattern without a method matches every method */
export function createIsBackground(patterns: readonly string[]): IsBackground {
  const byMethod = new Map<string, Matches[]>()
  const anyMethod: Matches[] = []
  for (const pattern of patterns) {
    const [first = '', second] = pattern.trim().split(/ +/)
    if (first === '') continue
    const matches = createGlob(second ?? first)
    if (second === undefined || first === '*') anyMethod.push(matches)
    else byMethod.set(first.toUpperCase(), [...(byMethod.get(first.toUpperCase()) ?? []), matches])
  }
  if (byMethod.size === 0 && anyMethod.length === 0) return () => false

  return (method, target) => {
    const query = target.indexOf('?')
    const path = query === -1 ? target : target.slice(0, query)
    const matchesPath = (matches: Matches) => matches(path)
    return (byMethod.get(method)?.some(matchesPath) ?? false) || anyMethod.some(matchesPath)
  }
}
