// The Host of a request, as the browser that sent it has it: applications compare it with the Origin, which has a port.

/**
 * Every host is reached at the port of the public URL. A proxy in front of the gateway may leave the port out, or write
 * its own.
 */
export function createPublicHost(
  publicUrl: string | undefined,
): (host: string | undefined) => string | undefined {
  if (publicUrl === undefined) return (host) => host
  const { port } = new URL(publicUrl)
  const end = port === '' ? '' : `:${port}`
  return (host) => (host === undefined ? undefined : host.replace(/:\d*$/, '') + end)
}
