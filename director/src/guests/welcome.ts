// What becomes of a client that is no guest yet. A cookie alone starts nothing: only a client that keeps the cookie, and
// sends a navigation with it, gets a workspace. So crawlers, health checks and scripts leave nothing behind.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ownPathPrefix } from '@berth/shared/contract'
import { wantsPage } from '../listener/admission.ts'
import type { Refusals } from '../listener/refusals.ts'
import { pathOf } from '../routing/path-prefix.ts'
import { localTarget } from '../headers/local-target.ts'
import type { GuestCookies } from './guest-cookies.ts'
import type { GuestOriginOf } from './guest-origin.ts'

/** A client is led here with its new cookie. */
export const guestPath = `${ownPathPrefix}guest`

/** @returns the status and the bytes of the answer, or `undefined` for a request that somebody else has to answer */
export type Welcome = (
  request: IncomingMessage,
  response: ServerResponse,
) => { readonly status: number; readonly bytes: number } | undefined

export function createWelcome(deps: {
  readonly cookies: GuestCookies
  readonly originOf: GuestOriginOf
  readonly refusals: Refusals
}): Welcome {
  const { cookies, originOf, refusals } = deps

  return (request, response) => {
    const { url = '/', method, rawHeaders, socket } = request
    const isArrival = pathOf(url) === guestPath
    const isKnown = cookies.read(rawHeaders) !== undefined
    if (isArrival && isKnown) return redirect(response, targetOf(url))
    if (isKnown || !wantsPage(request)) {
      if (!isArrival) return undefined
      return refuse(response, method === 'GET' && wantsPage(request))
    }
    const origin = originOf({ rawHeaders, remoteAddress: socket.remoteAddress })
    response.setHeader('set-cookie', cookies.issue(origin))
    if (isArrival) return refuse(response, true)
    return redirect(response, `${guestPath}?to=${encodeURIComponent(localTarget(url))}`)
  }

  function redirect(response: ServerResponse, location: string) {
    response.writeHead(303, { location, 'cache-control': 'no-store', 'content-length': '0' }).end()
    return { status: 303, bytes: 0 }
  }

  function refuse(response: ServerResponse, asPage: boolean) {
    const problem = refusals.problem('cookie_missing', noCookieDetail)
    return { status: problem.status, bytes: refusals.toResponse(response, problem, asPage) }
  }
}

export const noCookieDetail =
  'Your workspace is found again by a cookie, and your browser has not sent it. Please allow cookies for this address, and open it in a window of its own. A program has to keep cookies, and to begin with a visit of the page.'

function targetOf(url: string): string {
  return localTarget(new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('to') ?? '/')
}
