// The name in a Host header, as routes are looked up by it.

/** @returns the name without port, lower case; `undefined` where there is none */
export function hostName(host: string | undefined): string | undefined {
  if (host === undefined) return undefined
  const name = host.replace(/:\d*$/, '').toLowerCase()
  return name === '' ? undefined : name
}

/** The first Host of a request, exactly as it came. */
export function hostOf(rawHeaders: readonly string[]): string | undefined {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') return rawHeaders[i + 1]
  }
  return undefined
}
