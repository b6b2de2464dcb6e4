// Whether an upgrade comes from a page of the host it asks: browsers let any site open WebSockets to any other.
import { refuse, type RequestRefusal } from './gateway.ts'

export type CheckOrigin = (rawHeaders: readonly string[]) => RequestRefusal | undefined

/**
 * With a public URL, the origin is its scheme and port with the host name of the request (which routing has
 * found to be one of ours); without one, the request's own host by http or https. No `Origin`: not a browser.
 */
export function createCheckOrigin(publicUrl: string | undefined): CheckOrigin {
  const site = publicUrl === undefined ? undefined : new URL(publicUrl)
  const port = site === undefined || site.port === '' ? '' : `:${site.port}`

  function expected(host: string): readonly string[] {
    if (site === undefined) return [originOf(`http://${host}`), originOf(`https://${host}`)]
    return [`${site.protocol}//${host.replace(/:\d+$/, '')}${port}`]
  }

  return (rawHeaders) => {
    let host = ''
    let origin: string | undefined
    for (let i = 0; i < rawHeaders.length; i += 2) {
      const name = (rawHeaders[i] ?? '').toLowerCase()
      const value = rawHeaders[i + 1] ?? ''
      if (name === 'host') host = value.toLowerCase()
      if (name !== 'origin') continue
      if (origin !== undefined) return foreign()
      origin = value.toLowerCase()
    }
    if (origin === undefined || expected(host).includes(origin)) return undefined
    return foreign()
  }
}

/** Without the port where it is the scheme's own, as browsers write it. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).origin : url
}

function foreign(): RequestRefusal {
  return refuse('origin_refused', 'Only pages of this very address may open this connection.')
}
