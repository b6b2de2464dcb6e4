// Which requests the portal serves: no page of another origin can make one that changes or reveals anything. Pure.
import { BerthError } from '@berth/shared/problems'

export interface PortalRequest {
  readonly method: string
  readonly origin: string | undefined
  readonly fetchSite: string | undefined
  readonly fetchMode: string | undefined
  readonly fetchDest: string | undefined
}

/** @returns the refusal, if there is one */
export function refusalOf(request: PortalRequest, portalUrl: string): BerthError | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    // Browsers send `Origin` with each of these, so a request without one is refused.
    if (request.origin === new URL(portalUrl).origin && !isForeign(request)) return undefined
    return new BerthError(
      'origin_refused',
      'Only the portal’s own pages may do that. Open the portal and use its button.',
    )
  }
  if (!isForeign(request) || isVisit(request)) return undefined
  return new BerthError('origin_refused', 'Only the portal’s own pages may read this.')
}

/** A browser says so where the connection is safe (HTTPS, or this machine). */
function isForeign({ fetchSite }: PortalRequest): boolean {
  return fetchSite !== undefined && fetchSite !== 'same-origin' && fetchSite !== 'none'
}

/** A person follows a link to the portal from another site. In a frame it would be no visit. */
function isVisit({ fetchMode, fetchDest }: PortalRequest): boolean {
  return fetchMode === 'navigate' && (fetchDest === undefined || fetchDest === 'document')
}
