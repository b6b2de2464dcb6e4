// Checks whether a state-changing request comes from a page of the same origin, against cross-site request forgery.
// Pure.

export interface Provenance {
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  /** The host that the browser asked for, as the director passes it on. */
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
  // A browser sends only scheme and host in `Origin`. A longer value does not come from a browser.
  if (from.origin !== origin.toLowerCase()) return false
  const host = forwardedHost ?? ''
  if (/[/@?#\\]/.test(host)) return false
  // TLS may end before the director, and then the director does not know the scheme. So the scheme comes from the
  // public URL. Without a public URL, only the host is compared.
  const here =
    publicUrl === undefined ? `${from.protocol}//${host}` : onSite(new URL(publicUrl), host)
  return URL.canParse(here) && new URL(here).origin === from.origin
}

/** Templates may have their own host names, but all hosts use the scheme and the port of the public URL. */
function onSite({ protocol, hostname, port }: URL, host: string): string {
  const name = host.replace(/:\d+$/, '')
  return `${protocol}//${name === '' ? hostname : name}${port === '' ? '' : `:${port}`}`
}
