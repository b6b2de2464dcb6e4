// A browser's cookies, as far as the gateways and the identity provider need them: by host and path, regardless of ports.
import { plant } from '../deployment/planted-secrets.ts'

interface Cookie {
  readonly name: string
  readonly value: string
  readonly host: string
  readonly path: string
}

export interface CookieJar {
  take(url: URL, setCookies: readonly string[]): void
  /** The value of the Cookie header; empty: none. */
  header(url: URL): string
  names(url: URL): string[]
  clear(): void
}

export function createCookieJar(): CookieJar {
  const cookies = new Map<string, Cookie>()

  function matching(url: URL): Cookie[] {
    return [...cookies.values()]
      .filter(({ host, path }) => host === url.hostname && pathMatches(url.pathname, path))
      .sort((one, other) => other.path.length - one.path.length)
  }

  return {
    take(url, setCookies) {
      for (const text of setCookies) {
        const { cookie, gone } = parse(url, text)
        const key = `${cookie.host} ${cookie.path} ${cookie.name}`
        if (gone) cookies.delete(key)
        else cookies.set(key, cookie)
        // The session of the gateway, and the state of a sign-in.
        if (/^(_oauth2_proxy|mod_auth_openidc)/.test(cookie.name)) plant(cookie.name, cookie.value)
      }
    },
    header: (url) =>
      matching(url)
        .map(({ name, value }) => `${name}=${value}`)
        .join('; '),
    names: (url) => matching(url).map(({ name }) => name),
    clear: () => cookies.clear(),
  }
}

function parse(url: URL, text: string): { cookie: Cookie; gone: boolean } {
  const [pair = '', ...attributes] = text.split(';')
  const equals = pair.indexOf('=')
  const name = pair.slice(0, equals).trim()
  const value = pair.slice(equals + 1).trim()
  const attribute = (wanted: string): string | undefined =>
    attributes
      .map((part) => part.trim())
      .find((part) => part.toLowerCase().startsWith(`${wanted}=`))
      ?.slice(wanted.length + 1)
  const expires = attribute('expires')
  const gone =
    attribute('max-age')?.startsWith('0') === true ||
    (expires !== undefined && Date.parse(expires) < Date.now())
  const given = attribute('path')
  const path = given?.startsWith('/') === true ? given : defaultPath(url.pathname)
  return { cookie: { name, value, host: url.hostname, path }, gone }
}

/** RFC 6265, 5.1.4. */
function defaultPath(path: string): string {
  const end = path.lastIndexOf('/')
  return end <= 0 ? '/' : path.slice(0, end)
}

function pathMatches(path: string, cookiePath: string): boolean {
  if (path === cookiePath) return true
  return path.startsWith(cookiePath.endsWith('/') ? cookiePath : `${cookiePath}/`)
}
