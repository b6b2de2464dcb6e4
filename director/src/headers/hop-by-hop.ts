// Headers that concern one connection only (RFC 9110, 7.6.1): never passed on, in neither direction.
import { valuesOf } from './raw-headers.ts'

const always: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** `Connection` may not remove these: without them a message would mean something else. */
const needed: ReadonlySet<string> = new Set(['host', 'content-length', 'set-cookie'])

/** @param name lower case */
export function isHopByHop(name: string): boolean {
  return always.has(name) || name.startsWith('proxy-')
}

/** The names that `Connection` lists, lower case, without those that are always or never removed. */
export function namedByConnection(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined
  for (const value of valuesOf(rawHeaders, 'connection'))
    for (const token of value.toLowerCase().split(',')) {
      const name = token.trim()
      if (name === '' || name === 'keep-alive' || name === 'close' || needed.has(name)) continue
      names ??= new Set()
      names.add(name)
    }
  return names
}
