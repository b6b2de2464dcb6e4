// `/.berth/clear-cookies`: makes a browser forget the cookies of a host, when it sends more of them than anything accepts.
// The gateway's own stay, so the person stays signed in.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { expired, namesIn, pathsAbove } from '../headers/expired-cookies.ts'
import type { GatewayCookies } from '../headers/gateway-cookies.ts'
import { localTarget } from '../headers/local-target.ts'
import { firstValueOf } from '../headers/raw-headers.ts'
import type { NoticeAction } from '../listener/notice-page.ts'

export const clearCookiesPath = '/.berth/clear-cookies'

/** @returns the status of the answer */
export type ServeClearCookies = (
  request: IncomingMessage,
  response: ServerResponse,
) => Promise<number>

const longestForm = 64 * 1024
/** A gateway keeps the address of the form over the sign-in, in a cookie. */
const longestTarget = 2_000
/** Browsers accept 256 KiB of headers in an answer. The person can press the button again. */
const longestAnswer = 128 * 1024

/**
 * The button of the page. It names the cookies: a browser sends those of a longer path only to that path. Its address has
 * the page: when the session has expired, the gateway asks for the address again after the sign-in, without the body.
 */
export function clearCookiesAction(target: string, rawHeaders: readonly string[]): NoticeAction {
  const names = namesIn(rawHeaders)
  return {
    label: 'Remove the cookies of this site',
    post: `${clearCookiesPath}?to=${encodeURIComponent(target.length > longestTarget ? '/' : target)}`,
    fields: { names: names.map(encodeURIComponent).join(' ') },
  }
}

export function createServeClearCookies(deps: {
  readonly gatewayCookies: GatewayCookies
  readonly publicUrl: string | undefined
}): ServeClearCookies {
  const { gatewayCookies, publicUrl } = deps
  const secure = publicUrl?.startsWith('https:') === true

  return async (request, response) => {
    const { method, rawHeaders, url = '' } = request
    const site = firstValueOf(rawHeaders, 'sec-fetch-site') ?? 'same-origin'
    const query = new URLSearchParams(url.slice(url.indexOf('?') + 1))
    const to = localTarget(query.get('to') ?? '/')
    // After a sign-in: the page there is still refused, and has the button again.
    if (method !== 'POST' || site !== 'same-origin') {
      response
        .writeHead(303, { location: to, 'cache-control': 'no-store', 'content-length': '0' })
        .end()
      return 303
    }
    const form = await readForm(request)
    const named = (form.get('names') ?? '').split(' ').flatMap(readName)
    const names = new Set([...named, ...namesIn(rawHeaders)])
    const cookies = expired(
      [...names].filter((name) => !gatewayCookies.isGateways(name)),
      {
        host: firstValueOf(rawHeaders, 'host'),
        paths: pathsAbove(to.split('?', 1)[0] ?? '/'),
        secure,
      },
    )
    response.writeHead(303, {
      location: to,
      'set-cookie': upTo(longestAnswer, cookies),
      'cache-control': 'no-store',
      'content-length': '0',
    })
    response.end()
    return 303
  }
}

/** Browsers accept far more than tokens, as bytes: `user@x`, `a b`. */
const cookieName = /^[\x20-\x3a\x3c\x3e-\x7e\x80-\xff]+$/

function readName(encoded: string): readonly string[] {
  try {
    const name = decodeURIComponent(encoded)
    return cookieName.test(name) ? [name] : []
  } catch {
    return []
  }
}

/** A form that is too long is read as far as the limit: then some cookies are not named. */
async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > longestForm) break
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}

function upTo(bytes: number, lines: readonly string[]): string[] {
  let left = bytes
  return lines.filter((line) => (left -= line.length) > 0)
}
