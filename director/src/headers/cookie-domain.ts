// Whether a workspace's cookie would reach other people's hosts, or the portal's: a Domain above its own host.

/** @param host the request's host name without port; without one no Domain is acceptable */
export function isWiderThanHost(setCookie: string, host: string | undefined): boolean {
  return setCookie
    .split(';')
    .slice(1)
    .some((attribute) => {
      const [name = '', ...rest] = attribute.split('=')
      if (name.trim().toLowerCase() !== 'domain') return false
      // Browsers take a leading dot away, and an empty Domain for none.
      const domain = rest.join('=').trim().toLowerCase().replace(/^\./, '')
      return domain !== '' && domain !== host
    })
}
