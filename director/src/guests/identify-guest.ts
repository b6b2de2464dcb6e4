// Who sends a request to the listener of guests: what the cookie says, and nothing else.
import { guestOf } from '@berth/shared/guests'
import type { Network } from '@berth/shared/networks'
import { refuse, type RequestRefusal } from '../identity/gateway.ts'
import type { Identified } from '../identity/identify.ts'
import type { GuestCookies } from './guest-cookies.ts'
import { isFromProxy } from './guest-origin.ts'
import { noCookieDetail } from './welcome.ts'

export function createIdentifyGuest(deps: {
  readonly cookies: GuestCookies
  readonly proxies: readonly Network[]
}) {
  const { cookies, proxies } = deps
  return (
    rawHeaders: readonly string[],
    remoteAddress: string | undefined,
  ): Identified | RequestRefusal => {
    const guest = cookies.read(rawHeaders)
    if (guest === undefined) return refuse('cookie_missing', noCookieDetail)
    // The application learns from X-Forwarded-For what the proxy says, as it does behind a gateway.
    const proof = isFromProxy(proxies, remoteAddress) ? 'header' : 'none'
    return { ok: true, person: guestOf(guest), proof }
  }
}
