// The Set-Cookie headers that make a browser forget cookies. A cookie is replaced only by one of the same name, domain
// and path, and a Cookie header tells the name alone: so every domain and path that it may have is tried.
import { hostName } from '../routing/host-name.ts'
import { cookieName } from './gateway-cookies.ts'
import { valuesOf } from './raw-headers.ts'

export interface CookiePlace {
  /** The request's Host. */
  readonly host: string | undefined
  /** Paths that the cookies may have. */
  readonly paths: readonly string[]
  readonly secure: boolean
}

/** The names of the cookies of a request, each once. */
export function namesIn(rawHeaders: readonly string[]): readonly string[] {
  const names = valuesOf(rawHeaders, 'cookie').join(';').split(';').map(cookieName)
  return [...new Set(names.filter((name) => name !== ''))]
}

/** The likeliest places of all cookies come first: an answer may have no room for all. */
export function expired(names: readonly string[], place: CookiePlace): readonly string[] {
  const domains = [undefined, ...domainsOf(hostName(place.host) ?? '')]
  return domains.flatMap((domain) =>
    place.paths.flatMap((path) => names.map((name) => expiry(name, domain, path, place.secure))),
  )
}

function expiry(name: string, domain: string | undefined, path: string, secure: boolean): string {
  const parts = [`${name}=`, `Path=${path}`, 'Max-Age=0', 'Expires=Thu, 01 Jan 1970 00:00:00 GMT']
  if (domain !== undefined) parts.push(`Domain=${domain}`)
  // A browser ignores a cookie with such a name otherwise.
  if (secure || /^__(?:host|secure)-/i.test(name)) parts.push('Secure')
  return parts.join('; ')
}

/** The host and the domains above it that may have cookies: no address, and no name of one label. */
function domainsOf(host: string): readonly string[] {
  if (!/[a-z]/.test(host) || host.startsWith('[')) return []
  const labels = host.split('.')
  return labels.slice(0, -1).map((_, at) => labels.slice(at).join('.'))
}

/**
 * The paths above a path and the path itself: `/`, `/lab`, `/lab/tree`, each also with a slash at its end. Each multiplies
 * the headers of the answer: of a deep path, those at both ends are likely.
 */
export function pathsAbove(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '' && !/[;,\s]/.test(part))
  const above = parts
    .map((_, at) => `/${parts.slice(0, at + 1).join('/')}`)
    .filter((_, at) => at < 3 || at >= parts.length - 2)
  return ['/', ...above.flatMap((one) => [one, `${one}/`])]
}
