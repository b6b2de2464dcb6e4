// Classifies a request: a person's navigation, a page's own request, or a client such as git; and what it may start.
import { ownPathPrefix, type SeatRequest } from '@berth/shared/contract'
import { eachHeader } from '../headers/raw-headers.ts'
import type { IsBackground } from './background-requests.ts'

export interface RequestKind {
  /** A person will see the answer, so a page may be the answer. */
  readonly navigation: boolean
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

export function classify(request: Classified, isBackground: IsBackground): RequestKind {
  const hints = readHints(request.rawHeaders)
  const background = isBackground(request.method, request.target)
  const navigation = isNavigation(request.method, hints)
  return { navigation, background, start: startFor(background, hints) }
}

interface Hints {
  host: string
  html: boolean
  fetchMode: string | undefined
  prefetch: boolean
  xhr: boolean
  origin: string
  referer: string
}

function readHints(rawHeaders: readonly string[]): Hints {
  const hints: Hints = {
    host: '',
    html: false,
    fetchMode: undefined,
    prefetch: false,
    xhr: false,
    origin: '',
    referer: '',
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
      return
    case 'sec-fetch-mode':
      hints.fetchMode = value.toLowerCase()
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

/** A page's own background request starts nothing, its other requests wake, and every other request starts. */
function startFor(background: boolean, hints: Hints): RequestKind['start'] {
  if (!isFromPage(hints)) return 'start'
  return background ? 'no' : 'wake'
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
