// Removes the gateway's own cookies from the cookies that a workspace sees and sets. Every other byte stays.
import { createGlob } from '../routing/glob.ts'

export interface GatewayCookies {
  /** @returns the Cookie header without the gateway's cookies; `undefined` when no cookie is left */
  without(cookieHeader: string): string | undefined
  /** Whether a browser would set one of the gateway's cookies for this Set-Cookie header. */
  setBy(setCookieHeader: string): boolean
  isGateways(name: string): boolean
}

/**
 * The names of the gateway's cookies, from the director's settings. oauth2-proxy adds a number to the name of a session
 * that needs several cookies, and `_csrf`, with or without a hash, to that of a sign-in under way. A cookie of an application
 * may begin with the same letters: `session_id` beside the gateway's `session`.
 */
export function gatewayCookiePatterns(config: {
  readonly GATEWAY_COOKIES: readonly string[]
  readonly OAUTH2_PROXY_COOKIE_NAME: string | undefined
}): readonly string[] {
  const name = config.OAUTH2_PROXY_COOKIE_NAME
  if (name === undefined) return config.GATEWAY_COOKIES
  const parts = Array.from({ length: mostParts }, (_, index) => `${name}_${index}`)
  return [...config.GATEWAY_COOKIES, name, ...parts, `${name}_csrf`, `${name}_*_csrf`]
}

/** More than fit into a head of a request: each part but the last has 4,000 bytes. */
const mostParts = 32

/** @param patterns names, with `*` for any characters */
export function createGatewayCookies(patterns: readonly string[]): GatewayCookies {
  const globs = patterns.map(createGlob)
  const isGateways = (name: string) => globs.some((matches) => matches(name))

  return {
    without(cookieHeader) {
      const pairs = cookieHeader.split(';')
      const kept = pairs.filter((pair) => !isGateways(cookieName(pair)))
      if (kept.length === pairs.length) return cookieHeader
      // The blank before a pair belongs to the separator that went with the pair before it.
      if (kept[0] !== undefined && kept[0] !== pairs[0]) kept[0] = kept[0].trimStart()
      const rest = kept.join(';')
      return rest.trim() === '' ? undefined : rest
    },
    setBy: (setCookieHeader) => isGateways(cookieName(setCookieHeader.split(';', 1)[0] ?? '')),
    isGateways,
  }
}

/** A browser returns the nameless cookie `=_gateway=forged` as `_gateway=forged`: its value becomes the name. */
export function cookieName(pair: string): string {
  const text = pair.replace(/^[\s=]+/, '')
  const end = text.indexOf('=')
  return (end === -1 ? text : text.slice(0, end)).trimEnd()
}
