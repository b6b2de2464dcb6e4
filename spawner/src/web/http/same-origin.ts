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
  const host = forwardedHost ?? ''
  if (/[/@?#\\]/.test(host)) return false
  // TLS may end before the director, which then cannot know the scheme: the public URL says, else the host decides.
  const here =
    publicUrl === undefined ? `${from.protocol}//${host}` : onSite(new URL(publicUrl), host)
  return URL.canParse(here) && new URL(here).origin === from.origin
}

/** Templates have host names of their own beside the public one, all under its scheme and port. */
function onSite({ protocol, hostname, port }: URL, host: string): string {
  const name = host.replace(/:\d+$/, '')
  return `${protocol}//${name === '' ? hostname : name}${port === '' ? '' : `:${port}`}`
}
