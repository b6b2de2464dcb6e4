// Classifies a request: a person's navigation, a page's own request, or a client such as git; and what it may start.
import { ownPathPrefix, startHeader, type SeatRequest } from '@berth/shared/contract'
import { eachHeader } from '../headers/raw-headers.ts'
import type { IsBackground } from './background-requests.ts'

export interface RequestKind {
  /** A person will see the answer, so a page may be the answer. */
  readonly navigation: boolean
  /** A navigation that the page began by itself, such as a reload by its script, without a click or a key of a person. */
  readonly byItself: boolean
  /** The template declares it a background request: its bytes are not use. */
  readonly background: boolean
  /** What it may do with a workspace that is frozen, stopped or absent. */
  readonly start: SeatRequest['start']
}

export interface Classified {
  readonly method: string
  readonly target: string
  readonly rawHeaders: readonly string[]
}

/** Berth's own paths on a workspace's origin, compared byte for byte. @param target below the route's prefix */
export function isOwnPath(target: string): boolean {
  return target.startsWith(ownPathPrefix)
}

/** What a template says about requests. */
export interface KindRules {
  readonly isBackground: IsBackground
  /** Whether a page's own request starts the workspace, unless it is a background request. */
  readonly startsByRequest?: boolean | undefined
}

export function classify(request: Classified, rules: KindRules): RequestKind {
  const hints = readHints(request.rawHeaders)
  const background =
    !hints.person && rules.isBackground(request.method, request.target, hints.bodyBytes)
  const navigation = isNavigation(request.method, hints)
  const start = isFromPage(hints) ? startForPage(background, hints, rules) : 'start'
  const byItself = navigation && isByItself(hints)
  return { navigation, byItself, background, start }
}

const startName = startHeader.toLowerCase()

interface Hints {
  host: string
  html: boolean
  fetchMode: string | undefined
  fetchSite: string
  fetchUser: boolean
  fetchDest: string
  userAgent: string
  prefetch: boolean
  xhr: boolean
  origin: string
  referer: string
  bodyBytes: number
  /** A page opens it again and again by itself: a WebSocket or an event stream. */
  reopened: boolean
  /** The page says that a person asked for it. */
  person: boolean
}

/** These browsers say which navigation a person began. Others, and addresses without TLS, leave the header out. */
const tellsPerson = /\b(?:Chrome|Firefox)\//

/** Addresses that a person types, bookmarks and links of other sites are not of the same origin. A service worker that
 * passes a navigation on names no destination, and leaves out that a person began it. */
function isByItself({ fetchMode, fetchSite, fetchUser, fetchDest, userAgent }: Hints): boolean {
  if (fetchMode !== 'navigate' || fetchSite !== 'same-origin' || fetchDest === 'empty') return false
  return !fetchUser && tellsPerson.test(userAgent)
}

function readHints(rawHeaders: readonly string[]): Hints {
  const hints: Hints = {
    host: '',
    html: false,
    fetchMode: undefined,
    fetchSite: '',
    fetchUser: false,
    fetchDest: '',
    userAgent: '',
    prefetch: false,
    xhr: false,
    origin: '',
    referer: '',
    bodyBytes: 0,
    reopened: false,
    person: false,
  }
  eachHeader(rawHeaders, (name, value) => readHint(hints, name, value))
  return hints
}

function readHint(hints: Hints, name: string, value: string): void {
  switch (name) {
    case 'host':
      hints.host = value.toLowerCase()
      return
    case 'accept':
      hints.html ||= value.toLowerCase().includes('text/html')
      hints.reopened ||= value.toLowerCase().includes('text/event-stream')
      return
    case 'upgrade':
      hints.reopened ||= value.toLowerCase() === 'websocket'
      return
    case 'content-length':
      hints.bodyBytes = Math.max(hints.bodyBytes, Number(value))
      return
    case 'transfer-encoding':
      hints.bodyBytes = Infinity
      return
    case startName:
      hints.person ||= value.toLowerCase() === 'true'
      return
    case 'sec-fetch-mode':
      hints.fetchMode = value.toLowerCase()
      return
    case 'sec-fetch-site':
      hints.fetchSite = value.toLowerCase()
      return
    case 'sec-fetch-user':
      hints.fetchUser = true
      return
    case 'sec-fetch-dest':
      hints.fetchDest = value.toLowerCase()
      return
    case 'user-agent':
      hints.userAgent = value
      return
    case 'sec-purpose':
    case 'purpose':
    case 'x-purpose':
    case 'x-moz':
      hints.prefetch ||= /prefetch|prerender|preview/i.test(value)
      return
    case 'x-requested-with':
      hints.xhr ||= value.toLowerCase() === 'xmlhttprequest'
      return
    case 'origin':
      hints.origin = value.toLowerCase()
      return
    case 'referer':
      hints.referer = value.toLowerCase()
      return
    default:
  }
}

function isNavigation(method: string, hints: Hints): boolean {
  if (method !== 'GET' || !hints.html || hints.xhr || hints.prefetch) return false
  return hints.fetchMode === undefined || hints.fetchMode === 'navigate'
}

/** A page's own background request wakes nothing, and its other requests wake. They start only where the template says
 * so, or the page for this request. */
function startForPage(
  background: boolean,
  hints: Hints,
  { startsByRequest = false }: KindRules,
): RequestKind['start'] {
  if (hints.prefetch) return background ? 'no' : 'wake'
  if (hints.person) return 'start'
  if (background) return 'no'
  return startsByRequest && !hints.reopened ? 'start' : 'wake'
}

function isFromPage(hints: Hints): boolean {
  // A browser that prefetches shows the answer to no person yet.
  if (hints.prefetch) return true
  if (hints.fetchMode !== undefined) return hints.fetchMode !== 'navigate'
  // Browsers leave Sec-Fetch-Mode out over plain HTTP.
  const sameSite = isSameSite(hints.origin, hints.host) || isSameSite(hints.referer, hints.host)
  return sameSite && (!hints.html || hints.xhr)
}

function isSameSite(source: string, host: string): boolean {
  const scheme = source.startsWith('https://') ? 'https://' : 'http://'
  const site = scheme + host
  return source.startsWith(site) && (source.length === site.length || source[site.length] === '/')
}
