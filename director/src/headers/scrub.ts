// Scrubs and sets the headers on the way to a workspace, to the spawner and back: one pure function each, for requests and
// upgrades alike. Raw lists in and out. The headers that stay keep their order, case and bytes.
import {
  endsAtHeader,
  identityFields,
  passHeaders,
  type Person,
  type Route,
} from '@berth/shared/contract'
import { plainAddress } from '@berth/shared/networks'
import { requestIdHeader } from '@berth/shared/request-id'
import {
  identityHeaderNames,
  type GatewaySettings,
  type GatewayProof,
} from '../identity/gateway.ts'
import { isReservedHeader } from '../identity/reserved-headers.ts'
import { hostName } from '../routing/host-name.ts'
import type { TemplateRoute } from '../routing/route-table.ts'
import { putBelowPrefix } from './below-prefix.ts'
import { createGatewayCookies } from './gateway-cookies.ts'
import { isHopByHop, namedByConnection } from './hop-by-hop.ts'
import { isWiderThanHost } from './cookie-domain.ts'
import { eachHeader, filterHeaders, firstValueOf, valuesOf } from './raw-headers.ts'

export interface HeaderRules {
  readonly gateway: GatewaySettings
  /** Names of the gateway's own cookies, with `*` for any characters. */
  readonly gatewayCookies: readonly string[]
  readonly publicUrl?: string | undefined
}

export interface RequestContext {
  /** The socket's. */
  readonly remoteAddress: string | undefined
  /** The Host that the browser has; absent: the Host as it came. */
  readonly host?: string | undefined
  readonly proof: GatewayProof
  readonly requestId: string
}

/** The fields of a route that decide which of the gateway's headers its application gets. */
export interface PassedHeaders extends Pick<TemplateRoute, 'authorization' | 'path'> {
  readonly passIdentity: readonly IdentityField[]
  readonly passTokens: readonly Route['passTokens'][number][]
}

type IdentityField = Route['passIdentity'][number]

export interface WorkspaceContext extends RequestContext {
  readonly route: PassedHeaders
  /** When the workspace's lifetime ends, if it has an end. */
  readonly endsAt?: string | undefined
  /** Whom the workspace sees instead of the sender: none of the sender's identity and tokens passes. */
  readonly as?: Person | undefined
}

export interface SpawnerContext extends RequestContext {
  readonly person: Person
  readonly template?: string | undefined
  /** The one workspace that the route leads to, if it leads to one alone. */
  readonly workspace?: string | undefined
  /** The path prefix of the route. */
  readonly base?: string | undefined
  /** Path and query of the navigation, so that a page can lead back to it. */
  readonly target?: string | undefined
  /** A page loaded itself again, and no person waits for it. */
  readonly unattended?: boolean | undefined
}

/** What the answer belongs to. */
export interface AnswerContext {
  /** The request's. */
  readonly host: string | undefined
  readonly path: TemplateRoute['path']
  /** The request's path and query, as the application sees them. */
  readonly target: string
}

export interface HeaderScrub {
  toWorkspace(rawHeaders: readonly string[], context: WorkspaceContext): string[]
  /** The same scrub, with the identity added. Without `Authorization`: the director adds its own. */
  toSpawner(rawHeaders: readonly string[], context: SpawnerContext): string[]
  /** For an answer of a workspace, including trailers and 1xx. */
  toClient(rawHeaders: readonly string[], context: AnswerContext): string[]
}

const accessTokenHeader = 'x-forwarded-access-token'

/** Besides reserved headers: the director answers `Expect` itself, undici sends no request trailers, and the id of a
 * request is the one that the director has read or made. */
const droppedFromRequests: ReadonlySet<string> = new Set(['expect', 'trailer', requestIdHeader])

/** These would make a proxy in front, or the browser, fetch from another place on behalf of the workspace. The id of a
 * request is the director's. */
const droppedFromAnswers: ReadonlySet<string> = new Set([
  'alt-svc',
  requestIdHeader,
  'set-cookie2',
  'x-accel-redirect',
  'x-sendfile',
])

export function createHeaderScrub({
  gateway,
  gatewayCookies,
  publicUrl,
}: HeaderRules): HeaderScrub {
  const cookies = createGatewayCookies(gatewayCookies)
  const names = identityHeaderNames(gateway)
  const identityHeaders: ReadonlySet<string> = new Set(names)
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

  /** Each of these headers occurs at most once: a request with two was refused. */
  function isPassedIdentity(name: string, fields: readonly IdentityField[]): boolean {
    return fields.some((field) => names[identityFields.indexOf(field)] === name)
  }

  function scrub(
    rawHeaders: readonly string[],
    { host }: RequestContext,
    withAuthorization: boolean,
    identity: readonly IdentityField[] = [],
  ): string[] {
    const named = namedByConnection(rawHeaders)
    const kept: string[] = []
    eachHeader(rawHeaders, (name, value, spelling) => {
      // Before `Connection` is read: with an identity header in it, the application would see no identity.
      if (isPassedIdentity(name, identity)) {
        kept.push(spelling, value)
        return
      }
      if (isScrubbed(name) || named?.has(name) === true) return
      if (name === 'authorization' && !withAuthorization) return
      const passed =
        name === 'cookie' ? cookies.without(value) : name === 'host' ? (host ?? value) : value
      if (passed !== undefined) kept.push(spelling, passed)
    })
    return kept
  }

  function forwarded(rawHeaders: readonly string[], context: RequestContext): string[] {
    const host = context.host ?? firstValueOf(rawHeaders, 'host')
    const addresses = addressesOf(rawHeaders, context)
    return [
      ...(addresses.length === 0 ? [] : ['X-Forwarded-For', addresses.join(', ')]),
      ...(host === undefined ? [] : ['X-Forwarded-Host', host]),
      'X-Forwarded-Proto',
      scheme,
      'X-Request-Id',
      context.requestId,
    ]
  }

  return {
    toWorkspace(rawHeaders, context) {
      const { proof, route, endsAt, as } = context
      const { passIdentity, authorization, path } = route
      const passTokens = as === undefined ? route.passTokens : []
      // The gateway's Basic authorization carries its secret.
      const passesAuthorization = authorization === 'application' && proof !== 'basic'
      const passed = as === undefined ? passIdentity : []
      const kept = scrub(rawHeaders, context, passesAuthorization, passed)
      if (as !== undefined) kept.push(...identityOf(as, passIdentity))
      if (passTokens.includes('access')) kept.push(...theOnly(rawHeaders, accessTokenHeader))
      if (passTokens.includes('id') && authorization === 'id-token' && proof !== 'basic')
        kept.push(...bearerOf(theOnly(rawHeaders, 'authorization')))
      kept.push(...forwarded(rawHeaders, context))
      if (path?.strip === true) kept.push('X-Forwarded-Prefix', path.prefix)
      if (endsAt !== undefined) kept.push(endsAtHeader, endsAt)
      return kept
    },

    toSpawner(rawHeaders, context) {
      const { person, template, workspace, base, target, unattended } = context
      const kept = scrub(rawHeaders, context, false)
      kept.push(...forwarded(rawHeaders, context), ...personHeaders(person))
      if (template !== undefined) kept.push(passHeaders.template, encodeURIComponent(template))
      if (workspace !== undefined) kept.push(passHeaders.workspace, encodeURIComponent(workspace))
      if (base !== undefined && base !== '') kept.push(passHeaders.base, encodeURIComponent(base))
      if (target !== undefined) kept.push(passHeaders.target, encodeURIComponent(target))
      if (unattended === true) kept.push(passHeaders.unattended, 'true')
      return kept
    },

    toClient(rawHeaders, { host, path, target }) {
      const named = namedByConnection(rawHeaders)
      const cleared: string[] = []
      const kept = filterHeaders(rawHeaders, (name, value) => {
        if (isHopByHop(name) || named?.has(name) === true) return false
        if (name === 'clear-site-data') {
          cleared.push(...clearedWithoutCookies(value))
          return false
        }
        if (droppedFromAnswers.has(name) || name.startsWith('berth-')) return false
        return name !== 'set-cookie' || !mayNotSet(value, host)
      })
      if (cleared.length > 0) kept.push('Clear-Site-Data', cleared.join(', '))
      // A browser may keep a page that says nothing, and shows it later without asking: nothing would start then.
      if (isHtml(kept) && !saysHowLong(kept)) kept.push('Cache-Control', 'no-cache')
      return path?.strip === true
        ? putBelowPrefix(kept, { prefix: path.prefix, host, target })
        : kept
    },
  }

  /** As a gateway would send them. */
  function identityOf(person: Person, fields: readonly IdentityField[]): string[] {
    const values: Readonly<Record<IdentityField, string>> = {
      user: person.name,
      subject: person.subject,
      groups: person.groups.join(','),
      email: person.email ?? '',
    }
    return fields.flatMap((field) => {
      const name = names[identityFields.indexOf(field)]
      const value = values[field]
      if (name === undefined || value === '') return []
      return [name, Buffer.from(value, 'utf8').toString('latin1')]
    })
  }

  function mayNotSet(setCookie: string, host: string | undefined): boolean {
    return cookies.setBy(setCookie) || isWiderThanHost(setCookie, hostName(host))
  }
}

/**
 * What an answer makes a browser forget, but for cookies: those of all hosts of the site would go, and with them the
 * session of the gateway.
 */
function clearedWithoutCookies(value: string): readonly string[] {
  const named = value.split(',').map((type) => type.trim())
  const beside = ['"cache"', '"storage"', '"executionContexts"']
  return named
    .flatMap((type) => (type === '"*"' ? beside : [type]))
    .filter((type) => type !== '' && type.toLowerCase() !== '"cookies"')
}

function isHtml(rawHeaders: readonly string[]): boolean {
  return /^\s*(text\/html|application\/xhtml\+xml)\b/i.test(
    firstValueOf(rawHeaders, 'content-type') ?? '',
  )
}

/** Whether the answer itself says how long a browser may keep it. */
function saysHowLong(rawHeaders: readonly string[]): boolean {
  return ['cache-control', 'expires'].some((name) => firstValueOf(rawHeaders, name) !== undefined)
}

/** A header that came exactly once: one of two is not the gateway's. @param wanted lower case */
function theOnly(rawHeaders: readonly string[], wanted: string): string[] {
  const found = filterHeaders(rawHeaders, (name) => name === wanted)
  return found.length === 2 ? found : []
}

/** The gateway's token is a bearer token. The application was promised no other authorization. */
function bearerOf(authorization: string[]): string[] {
  return /^bearer +[\w.~+/-]+=*$/i.test(authorization[1] ?? '') ? authorization : []
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

/** The addresses that the request came through, each as the next one saw it. Only a gateway is believed about the first. */
function addressesOf(
  rawHeaders: readonly string[],
  { remoteAddress, proof }: RequestContext,
): string[] {
  const told = proof === 'none' ? [] : valuesOf(rawHeaders, 'x-forwarded-for')
  const addresses = told.flatMap((value) => value.split(',').map((address) => address.trim()))
  if (remoteAddress !== undefined) addresses.push(plainAddress(remoteAddress))
  return addresses.filter((address) => address !== '')
}
