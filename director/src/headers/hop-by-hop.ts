// Headers that concern one connection only (RFC 9110, 7.6.1): never passed on, in neither direction.

const always: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
])

/** What `Connection` may not take away: without these a message would mean something else. */
const needed: ReadonlySet<string> = new Set(['host', 'content-length', 'set-cookie'])

/** @param name lower case */
export function isHopByHop(name: string): boolean {
  return always.has(name) || name.startsWith('proxy-')
}

/** The names that `Connection` lists, lower case; `undefined` where it lists none worth looking at. */
export function namedByConnection(rawHeaders: readonly string[]): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const header = rawHeaders[i] ?? ''
    if (header.length !== 10 || header.toLowerCase() !== 'connection') continue
    for (const token of (rawHeaders[i + 1] ?? '').toLowerCase().split(',')) {
      const name = token.trim()
      if (name === '' || name === 'keep-alive' || name === 'close' || needed.has(name)) continue
      names ??= new Set()
      names.add(name)
    }
  }
  return names
}
