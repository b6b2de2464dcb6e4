// Whether the Domain of a workspace's cookie is wider than its own host: the cookie would then reach other people's hosts.

/** @param host the request's host name without port; without one, no Domain is acceptable */
export function isWiderThanHost(setCookie: string, host: string | undefined): boolean {
  return setCookie
    .split(';')
    .slice(1)
    .some((attribute) => {
      const [name = '', ...rest] = attribute.split('=')
      if (name.trim().toLowerCase() !== 'domain') return false
      // Browsers remove a leading dot, and ignore an empty Domain.
      const domain = rest.join('=').trim().toLowerCase().replace(/^\./, '')
      return domain !== '' && domain !== host
    })
}
