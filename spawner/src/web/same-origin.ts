// Whether a state-changing request comes from a page of the origin that it goes to (cross-site request forgery). Pure.

export interface Provenance {
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  /** The host as the browser named it; the director vouches for it. */
  readonly forwardedHost: string | undefined
  readonly publicUrl: string | undefined
}

/** Browsers send `Origin` with every POST, so a request without one is refused. */
export function isSameOrigin(provenance: Provenance): boolean {
  const { origin, fetchSite, forwardedHost, publicUrl } = provenance
  if (fetchSite !== undefined && fetchSite !== 'same-origin') return false
  if (origin === undefined || !URL.canParse(origin)) return false
  const from = new URL(origin)
  if (from.protocol !== 'http:' && from.protocol !== 'https:') return false
  // An Origin is scheme and host; anything more was not written by a browser.
  if (from.origin !== origin.toLowerCase()) return false
  if (publicUrl !== undefined) return from.origin === new URL(publicUrl).origin
  // TLS may end before the director, which then cannot know the scheme: the host decides.
  const here = `${from.protocol}//${forwardedHost ?? ''}`
  return (
    URL.canParse(here) &&
    new URL(here).origin === from.origin &&
    !/[/@?#\\]/.test(forwardedHost ?? '')
  )
}
