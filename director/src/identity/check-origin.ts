// Checks that an upgrade comes from a page of its own host: browsers let a page of any site open WebSockets to any other.
import { firstValueOf, valuesOf } from '../headers/raw-headers.ts'
import { refuse, type RequestRefusal } from './gateway.ts'

export type CheckOrigin = (rawHeaders: readonly string[]) => RequestRefusal | undefined

/**
 * With a public URL, the origin must have its scheme and port, and the host name of the request (routing has checked
 * that it is a host name of Berth). Without a public URL, the origin must be the request's own host with http or https.
 * A client that sends no `Origin` is not a browser.
 */
export function createCheckOrigin(publicUrl: string | undefined): CheckOrigin {
  const site = publicUrl === undefined ? undefined : new URL(publicUrl)
  const port = site === undefined || site.port === '' ? '' : `:${site.port}`

  function expected(host: string): readonly string[] {
    if (site === undefined) return [originOf(`http://${host}`), originOf(`https://${host}`)]
    return [`${site.protocol}//${host.replace(/:\d+$/, '')}${port}`]
  }

  return (rawHeaders) => {
    const [origin, ...further] = valuesOf(rawHeaders, 'origin')
    if (origin === undefined) return undefined
    const host = firstValueOf(rawHeaders, 'host')?.toLowerCase() ?? ''
    if (further.length === 0 && expected(host).includes(origin.toLowerCase())) return undefined
    return refuse('origin_refused', 'Only a page of this address may open this connection.')
  }
}

/** Browsers leave out the port where it is the scheme's own. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}
