// The name in a Host header, as the route table has it.

/** @returns the name without port, lower case; `undefined` for a header without a name */
export function hostName(host: string | undefined): string | undefined {
  if (host === undefined) return undefined
  const name = host.replace(/:\d*$/, '').toLowerCase()
  return name === '' ? undefined : name
}
