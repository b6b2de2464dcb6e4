// What kind of request it is: a person looking, a page's own, or a client such as git; and what it may bring about.
import { ownPathPrefix, type SeatRequest } from '@berth/shared/contract'
import { eachHeader } from '../headers/raw-headers.ts'
import type { IsBackground } from './background-requests.ts'

export interface RequestKind {
  /** A person looks at what comes: a page may answer. */
  readonly navigation: boolean
  /** The template says that its bytes are not use. */
  readonly background: boolean
  /** What it may do to a workspace that is frozen, stopped or absent. */
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

/** Of a page's own requests, background ones do nothing and others wake; whatever else comes may start. */
function startFor(background: boolean, hints: Hints): RequestKind['start'] {
  if (!isPagesOwn(hints)) return 'start'
  return background ? 'no' : 'wake'
}

function isPagesOwn(hints: Hints): boolean {
  // Nobody looks yet at what a browser fetches ahead.
  if (hints.prefetch) return true
  if (hints.fetchMode !== undefined) return hints.fetchMode !== 'navigate'
  // Browsers leave Sec-Fetch-Mode out over plain HTTP.
  const ofSite = isOfSite(hints.origin, hints.host) || isOfSite(hints.referer, hints.host)
  return ofSite && (!hints.html || hints.xhr)
}

function isOfSite(source: string, host: string): boolean {
  const scheme = source.startsWith('https://') ? 'https://' : 'http://'
  const site = scheme + host
  return source.startsWith(site) && (source.length === site.length || source[site.length] === '/')
}
