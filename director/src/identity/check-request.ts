// Refuses what is malformed or meant to be read in two ways, before anybody asks who sent it.
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
  'The path begins with two slashes, which a browser takes for the name of another host.'

/** What a browser that is led there would read as another host: `//evil`, `/\evil`. */
export function beginsLikeHost(target: string): boolean {
  return target[1] === '/' || target[1] === '\\'
}

const hostShape = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i

/** The checks of a request's form; `undefined` for a request that may be looked at further. */
export function createCheckRequest(
  gateway: GatewaySettings,
): (head: RequestHead) => RequestRefusal | undefined {
  const identityHeaders = new Set(identityHeaderNames(gateway))
  const mayNotBeSpelt = (name: string) => identityHeaders.has(name) || isReservedHeader(name)

  return (head) => {
    const complaint = complaintAbout(head) ?? complaintAboutHeaders(head, mayNotBeSpelt)
    return complaint === undefined ? undefined : refuse('bad_request', complaint)
  }
}

function complaintAbout({ method, target, upgrade }: RequestHead): string | undefined {
  if (method === 'TRACE' || method === 'CONNECT') return 'This method is not served here.'
  if (upgrade && method !== 'GET') return 'Only GET can ask for an upgrade.'
  // What a proxy would read as another target.
  if (!target.startsWith('/')) return 'The request target must be a path.'
  if (beginsLikeHost(target)) return hostLikeDetail
  return undefined
}

function complaintAboutHeaders(
  { rawHeaders, upgrade }: RequestHead,
  mayNotBeSpelt: (name: string) => boolean,
): string | undefined {
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const value = rawHeaders[i + 1] ?? ''
    if (name === 'host') {
      hosts += 1
      // Node keeps the first of several and says nothing.
      if (hosts > 1) return 'The request names more than one host.'
      if (!hostShape.test(value)) return 'The host name is malformed.'
      continue
    }
    // Many applications read `_` and `-` in header names as the same (CVE-2025-64484).
    if (name.includes('_') && mayNotBeSpelt(name.replaceAll('_', '-')))
      return 'A header name is a misspelling of one that the gateway sets.'
    if (upgrade && announcesBody(name, value)) return 'An upgrade cannot carry a body.'
  }
  return undefined
}

function announcesBody(name: string, value: string): boolean {
  return name === 'transfer-encoding' || (name === 'content-length' && value !== '0')
}
