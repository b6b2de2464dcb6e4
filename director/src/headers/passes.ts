// What is scrubbed and set on the way to a workspace, to the spawner and back: one pure function each, for requests
// and upgrades alike. Raw arrays of names and values in and out; order, case and bytes of what stays are kept.
import { passHeaders, type Person } from '@berth/shared/contract'
import { identityHeaderNames, type Gate, type GatewayProof } from '../identity/gate.ts'
import { isReservedHeader } from '../identity/reserved-headers.ts'
import { hostName, hostOf } from '../routing/host-name.ts'
import { createGatewayCookies } from './gateway-cookies.ts'
import { isHopByHop, namedByConnection } from './hop-by-hop.ts'
import { isWiderThanHost } from './cookie-domain.ts'

export interface HeaderRules {
  readonly gate: Gate
  /** Names of the gateway's own cookies, with `*` for any characters. */
  readonly gatewayCookies: readonly string[]
  readonly publicUrl?: string | undefined
}

export interface RequestContext {
  /** The socket's. */
  readonly remoteAddress: string | undefined
  readonly proof: GatewayProof
}

export interface SpawnerContext extends RequestContext {
  readonly person: Person
  readonly template?: string | undefined
  /** Path and query of the navigation that a page is to lead back to. */
  readonly target?: string | undefined
}

export interface HeaderPasses {
  toWorkspace(rawHeaders: readonly string[], context: RequestContext): string[]
  /** The same scrub, and who asks. Without `Authorization`: the director adds its own. */
  toSpawner(rawHeaders: readonly string[], context: SpawnerContext): string[]
  /** An answer of a workspace, trailers and 1xx included. @param host the request's Host */
  toClient(rawHeaders: readonly string[], host: string | undefined): string[]
}

/** Besides what is reserved: the director answers `Expect` itself, and undici sends no request trailers. */
const droppedFromRequests: ReadonlySet<string> = new Set(['expect', 'trailer'])

/** These would make a proxy in front, or the browser, fetch from elsewhere in the workspace's name. */
const droppedFromAnswers: ReadonlySet<string> = new Set([
  'alt-svc',
  'set-cookie2',
  'x-accel-redirect',
  'x-sendfile',
])

export function createHeaderPasses({ gate, gatewayCookies, publicUrl }: HeaderRules): HeaderPasses {
  const cookies = createGatewayCookies(gatewayCookies)
  const identityHeaders: ReadonlySet<string> = new Set(identityHeaderNames(gate))
  const scheme = publicUrl?.startsWith('https:') === true ? 'https' : 'http'

  function isScrubbed(name: string): boolean {
    return (
      isHopByHop(name) ||
      isReservedHeader(name) ||
      droppedFromRequests.has(name) ||
      identityHeaders.has(name) ||
      // CGI and WSGI read `_` as `-`.
      name.includes('_')
    )
  }

  function scrub(rawHeaders: readonly string[], withAuthorization: boolean): string[] {
    const named = namedByConnection(rawHeaders)
    const kept: string[] = []
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const header = rawHeaders[i] ?? ''
      const name = header.toLowerCase()
      let value = rawHeaders[i + 1]
      if (isScrubbed(name) || named?.has(name) === true) continue
      if (name === 'authorization' && !withAuthorization) continue
      if (name === 'cookie') value = cookies.without(value ?? '')
      if (value !== undefined) kept.push(header, value)
    }
    return kept
  }

  function forwarded(rawHeaders: readonly string[], remoteAddress: string | undefined): string[] {
    const host = hostOf(rawHeaders)
    return [
      ...(remoteAddress === undefined ? [] : ['X-Forwarded-For', plainAddress(remoteAddress)]),
      ...(host === undefined ? [] : ['X-Forwarded-Host', host]),
      'X-Forwarded-Proto',
      scheme,
    ]
  }

  return {
    toWorkspace(rawHeaders, { remoteAddress, proof }) {
      // The gateway's Basic carries its secret; any other Authorization is the application's.
      const kept = scrub(rawHeaders, proof !== 'basic')
      kept.push(...forwarded(rawHeaders, remoteAddress))
      return kept
    },

    toSpawner(rawHeaders, { remoteAddress, person, template, target }) {
      const kept = scrub(rawHeaders, false)
      kept.push(...forwarded(rawHeaders, remoteAddress), ...personHeaders(person))
      if (template !== undefined) kept.push(passHeaders.template, encodeURIComponent(template))
      if (target !== undefined) kept.push(passHeaders.target, encodeURIComponent(target))
      return kept
    },

    toClient(rawHeaders, host) {
      const named = namedByConnection(rawHeaders)
      const kept: string[] = []
      for (let i = 0; i < rawHeaders.length; i += 2) {
        const header = rawHeaders[i] ?? ''
        const name = header.toLowerCase()
        const value = rawHeaders[i + 1] ?? ''
        if (isHopByHop(name) || named?.has(name) === true) continue
        if (droppedFromAnswers.has(name) || name.startsWith('berth-')) continue
        if (name === 'set-cookie' && mayNotSet(value, host)) continue
        kept.push(header, value)
      }
      return kept
    },
  }

  function mayNotSet(setCookie: string, host: string | undefined): boolean {
    return cookies.setBy(setCookie) || isWiderThanHost(setCookie, hostName(host))
  }
}

function personHeaders(person: Person): string[] {
  const headers = [
    passHeaders.user,
    encodeURIComponent(person.name),
    passHeaders.subject,
    encodeURIComponent(person.subject),
    passHeaders.groups,
    person.groups.map(encodeURIComponent).join(','),
  ]
  if (person.email !== undefined) headers.push(passHeaders.email, encodeURIComponent(person.email))
  return headers
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address
}
