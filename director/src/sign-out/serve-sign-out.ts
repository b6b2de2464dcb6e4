// `/.berth/sign-out`: ends the gateway's session in the browser first, then the session at the identity provider. Without
// the second, the gateway would sign the person in again at once. It needs no identity: a person whose identity is
// refused signs out here, too.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expired, namesIn } from '../headers/expired-cookies.ts'
import type { GatewayCookies } from '../headers/gateway-cookies.ts'
import { firstValueOf } from '../headers/raw-headers.ts'
import { noticeHeaders, renderNotice, type Notice } from '../listener/notice-page.ts'
import type { FindEndSession } from './end-session.ts'

export const signOutPath = '/.berth/sign-out'

export interface SignOutDeps {
  readonly findEndSession: FindEndSession
  readonly gatewayCookies: GatewayCookies
  /** Which client asks the provider: without an ID token it knows by this where it may send the person. */
  readonly clientId: string | undefined
  readonly publicUrl: string | undefined
}

/** @returns status and bytes of the answer */
export type ServeSignOut = (
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
) => Promise<{ readonly status: number; readonly bytes: number }>

const signedOut: Notice = {
  title: 'You are signed out here',
  paragraphs: [
    'Your session at the identity provider may still be open: the next person who uses this browser could then sign in as you without a password. On a shared computer, sign out there as well, or close the browser.',
  ],
  actions: [{ label: 'Sign in again', href: '/' }],
}

export function createServeSignOut(deps: SignOutDeps): ServeSignOut {
  const { findEndSession, gatewayCookies, clientId, publicUrl } = deps
  const scheme = publicUrl?.startsWith('https:') === true ? 'https' : 'http'

  function destination(endpoint: string, host: string | undefined): string {
    const url = new URL(endpoint)
    if (clientId !== undefined) url.searchParams.set('client_id', clientId)
    if (host !== undefined) url.searchParams.set('post_logout_redirect_uri', `${scheme}://${host}/`)
    return url.href
  }

  return async ({ rawHeaders }, response, requestId) => {
    const host = firstValueOf(rawHeaders, 'host')
    const cookies = namesIn(rawHeaders)
    const sessions = cookies.filter((name) => gatewayCookies.isGateways(name))
    const place = { host, paths: ['/'], secure: scheme === 'https' }
    const headers = {
      'set-cookie': [...expired(sessions, place)],
      'cache-control': 'no-store',
    }
    const endpoint = await findEndSession(requestId)
    const location = endpoint === undefined ? undefined : destination(endpoint, host)
    if (location !== undefined) {
      response.writeHead(302, { ...headers, location, 'content-length': '0' }).end()
      return { status: 302, bytes: 0 }
    }
    const page = Buffer.from(renderNotice(signedOut))
    response.writeHead(200, {
      ...headers,
      ...noticeHeaders(signedOut.actions),
      'content-length': String(page.length),
    })
    response.end(page)
    return { status: 200, bytes: page.length }
  }
}
