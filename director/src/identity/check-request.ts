// Refuses a request that is malformed, or that two servers could read differently, before its identity is read.
import type { GatewayCookies } from '../headers/gateway-cookies.ts'
import { eachHeader } from '../headers/raw-headers.ts'
import {
  identityHeaderNames,
  refuse,
  type GatewaySettings,
  type RequestRefusal,
} from './gateway.ts'
import { isReservedHeader } from './reserved-headers.ts'

export interface RequestHead {
  readonly method: string
  /** The request target exactly as it came. */
  readonly target: string
  /** Names and values in turn, as Node gives them. */
  readonly rawHeaders: readonly string[]
  readonly upgrade: boolean
}

export const hostLikeDetail =
  'The path begins with two slashes. A browser would read it as the name of another host.'

/** A browser that is redirected to such a path reads it as another host: `//evil`, `/\evil`. */
export function beginsLikeHost(target: string): boolean {
  return target[1] === '/' || target[1] === '\\'
}

const hostShape = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** The checks of a request's form. They return `undefined` for a request that passes. */
export function createCheckRequest(
  gateway: GatewaySettings,
  gatewayCookies: GatewayCookies,
): (head: RequestHead) => RequestRefusal | undefined {
  const identityHeaders = new Set(identityHeaderNames(gateway))
  const mayNotBeSpelt = (name: string) => identityHeaders.has(name) || isReservedHeader(name)

  return (head) => {
    if (unserved.has(head.method)) return refuse('method_refused', unservedDetail)
    const complaint = complaintAbout(head) ?? complaintAboutHeaders(head, mayNotBeSpelt)
    if (complaint !== undefined) return refuse('bad_request', complaint)
    // Mostly all of it is short, and nobody has to know what the gateway added.
    if (bytesOf(head) <= longestHead || bytesOfClient(head) <= longestHead) return undefined
    return refuse('headers_too_long', tooLongDetail)
  }

  /** Without what the gateway adds: a person has any number of groups, and a session of any length. */
  function bytesOfClient({ target, rawHeaders }: RequestHead): number {
    let bytes = target.length
    eachHeader(rawHeaders, (name, value) => {
      if (identityHeaders.has(name)) return
      const sent = name === 'cookie' ? (gatewayCookies.without(value) ?? '') : value
      bytes += name.length + sent.length
    })
    return bytes
  }
}

function bytesOf({ target, rawHeaders }: RequestHead): number {
  let bytes = target.length
  for (const part of rawHeaders) bytes += part.length
  return bytes
}

/** Of request line and headers together. */
const longestHead = 64 * 1024
const tooLongDetail =
  'The headers of the request are longer than 64 KiB. Mostly these are cookies: an application of this site has set too many of them, or too long ones. Without them it begins with its settings as new; files and workspaces are not affected.'

/** The first repeats the headers of the gateway to a page, the second asks for a tunnel. */
const unserved: ReadonlySet<string> = new Set(['TRACE', 'CONNECT'])
const unservedDetail = 'Berth serves neither TRACE nor CONNECT.'

function complaintAbout({ method, target, upgrade }: RequestHead): string | undefined {
  if (upgrade && method !== 'GET') return 'An upgrade must be requested with GET.'
  // A proxy would read an absolute URL as another target.
  if (!target.startsWith('/')) return 'The request target must be a path.'
  if (beginsLikeHost(target)) return hostLikeDetail
  return undefined
}

function complaintAboutHeaders(
  { rawHeaders, upgrade }: RequestHead,
  mayNotBeSpelt: (name: string) => boolean,
): string | undefined {
  let hosts = 0

  function complaintAboutHeader(name: string, value: string): string | undefined {
    if (name === 'host') {
      hosts += 1
      // Node keeps the first of several Host headers and reports no error.
      if (hosts > 1) return 'The request names more than one host.'
      return hostShape.test(value) ? undefined : 'The host name of the request is malformed.'
    }
    // Many applications read `_` and `-` in header names as the same (CVE-2025-64484).
    if (name.includes('_') && mayNotBeSpelt(name.replaceAll('_', '-')))
      return 'The request has a header whose name differs from one of the gateway only by "_" in place of "-".'
    if (upgrade && announcesBody(name, value))
      return 'A request for an upgrade must not have a body.'
    return undefined
  }

  let complaint: string | undefined
  eachHeader(rawHeaders, (name, value) => {
    complaint ??= complaintAboutHeader(name, value)
  })
  return complaint
}

function announcesBody(name: string, value: string): boolean {
  return name === 'transfer-encoding' || (name === 'content-length' && value !== '0')
}
