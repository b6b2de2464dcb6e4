// Behind a stripped prefix, an application knows its own paths only. Where the headers of an answer name one of them, the
// prefix is put before it. What is in a page stays as it is.
import { liesBelow } from '../routing/path-prefix.ts'
import { pairs } from './raw-headers.ts'

export interface StrippedPlace {
  /** `/desk` */
  readonly prefix: string
  /** The request's Host: an absolute URL of that host leads to the application. */
  readonly host: string | undefined
  /** The request's path and query, as the application sees them. */
  readonly target: string
}

type Rewrite = (value: string, place: StrippedPlace) => string

const rewrites: ReadonlyMap<string, Rewrite> = new Map<string, Rewrite>([
  ['location', reference],
  ['content-location', reference],
  ['service-worker-allowed', reference],
  ['sourcemap', reference],
  ['refresh', refresh],
  ['link', link],
  ['set-cookie', cookie],
])

export function putBelowPrefix(rawHeaders: readonly string[], place: StrippedPlace): string[] {
  return pairs(rawHeaders).flatMap(([name, value]) => [
    name,
    rewrites.get(name.toLowerCase())?.(value, place) ?? value,
  ])
}

/** A browser reads `\` as `/`. */
const withAuthority = /^((?:https?:)?[/\\]{2})([^/\\?#]*)(.*)$/is
const withScheme = /^[a-z][a-z0-9+.-]*:/i
/** A browser removes these, so `/.<tab>./x` climbs, too. */
const ignored = /[\t\n\r]/
const climbing = /(?:^|[/\\])(?:\.|%2e){2}(?:[/\\?#]|$)/i

function reference(value: string, place: StrippedPlace): string {
  const url = ignored.test(value) ? value.replaceAll(new RegExp(ignored, 'g'), '') : value
  const absolute = withAuthority.exec(url)
  if (absolute !== null) {
    const [, before = '', authority = '', rest = ''] = absolute
    if (!isSame(authority, place.host)) return value
    return `${before}${authority}${ofRoot(/^[/\\]/.test(rest) ? rest : `/${rest}`, place)}`
  }
  if (withScheme.test(url)) return value
  return /^[/\\]/.test(url) ? ofRoot(url, place) : ofFolder(url, place)
}

/** A reference that begins with a slash. */
function ofRoot(path: string, place: StrippedPlace): string {
  const { prefix } = place
  if (climbing.test(path)) return below(resolved(path, '/'), prefix)
  const slashed = path.startsWith('\\') ? `/${path.slice(1)}` : path
  return below(slashed, prefix)
}

/** One that is resolved against the path of the request. It can only leave the prefix by climbing. */
function ofFolder(path: string, { prefix, target }: StrippedPlace): string {
  if (!climbing.test(path)) return path
  const seen = resolved(path, prefix + target)
  return liesBelow(seen.split('#', 1)[0] ?? '', prefix)
    ? path
    : below(resolved(path, target), prefix)
}

/** An application that uses `X-Forwarded-Prefix` has put it there itself. */
function below(path: string, prefix: string): string {
  return liesBelow(path, prefix) ? path : prefix + path
}

function resolved(path: string, base: string): string {
  const { pathname, search, hash } = new URL(path, `http://application.invalid${base}`)
  return pathname + search + hash
}

function isSame(authority: string, host: string | undefined): boolean {
  const plain = (name: string) => name.toLowerCase().replace(/:(?:80|443)?$/, '')
  return host !== undefined && plain(authority) === plain(host)
}

/** `5; url=/x`, and the shorter forms that browsers accept. */
function refresh(value: string, place: StrippedPlace): string {
  const match = /^(\s*[\d.]+(?:\s*[;,]\s*|\s+)(?:url\s*=\s*)?)(["']?)(.*)$/is.exec(value)
  if (match === null) return value
  const [, before = '', quote = '', rest = ''] = match
  const end = quote === '' ? -1 : rest.indexOf(quote)
  const url = end === -1 ? rest : rest.slice(0, end)
  return before + quote + reference(url, place) + (end === -1 ? '' : rest.slice(end))
}

/** `<url>; parameter="text", <url>…`. Each character is read once: a regular expression could take seconds here. */
function link(value: string, place: StrippedPlace): string {
  let mended = ''
  let from = 0
  for (let at = 0; at < value.length; at += 1) {
    if (value[at] === '"') at = endOfQuoted(value, at)
    if (value[at] !== '<') continue
    const end = value.indexOf('>', at)
    if (end === -1) break
    mended += value.slice(from, at + 1) + reference(value.slice(at + 1, end), place)
    from = end
    at = end
  }
  return mended + value.slice(from)
}

/** @returns where the quoted text that begins here ends, or the end of the value */
function endOfQuoted(value: string, start: number): number {
  let at = start + 1
  while (at < value.length && value[at] !== '"') at += value[at] === '\\' ? 2 : 1
  return at
}

function cookie(value: string, { prefix }: StrippedPlace): string {
  // Browsers take this kind of cookie for the path / only.
  if (/^\s*__host-/i.test(value)) return value
  const [pair = '', ...attributes] = value.split(';')
  return [pair, ...attributes.map((attribute) => cookiePath(attribute, prefix))].join(';')
}

function cookiePath(attribute: string, prefix: string): string {
  const equals = attribute.indexOf('=')
  if (attribute.slice(0, Math.max(0, equals)).trim().toLowerCase() !== 'path') return attribute
  const path = attribute.slice(equals + 1).trim()
  // A browser takes the folder of the request for what is no path.
  if (!path.startsWith('/') || liesBelow(path, prefix)) return attribute
  return `${attribute.slice(0, equals + 1)}${prefix}${path === '/' ? '' : path}`
}
