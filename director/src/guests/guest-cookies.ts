// The cookie by which a guest is known: signed, so that a client can neither make one nor change one.
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Clock } from '@berth/shared/clock'
import type { GuestIdentity } from '@berth/shared/guests'
import type { Secret } from '@berth/shared/secret'
import { cookieName } from '../headers/gateway-cookies.ts'
import { valuesOf } from '../headers/raw-headers.ts'

export interface GuestCookies {
  /** @returns `undefined` for a request without a cookie of ours that is still good */
  read(rawHeaders: readonly string[]): GuestIdentity | undefined
  /** @returns the value of a Set-Cookie header that makes the client a new guest */
  issue(origin: string): string
}

export interface GuestCookiesDeps {
  /** GUEST_SECRET. */
  readonly secret: Secret | undefined
  /** The cookie's key is derived from it if there is no secret of guests. */
  readonly internalSecret: Secret
  /** Guests come by https: then the cookie is for https and for one host name only. */
  readonly secure: boolean
  readonly maxAgeMs: number
  readonly clock: Pick<Clock, 'wall'>
  readonly randomBytes: (size: number) => Buffer
}

const plainName = 'berth_guest'
const hostName = `__Host-${plainName}`
/** No application sees or sets one. */
export const guestCookieNames: readonly string[] = [plainName, hostName]

const idBytes = 16
/** A director whose clock is ahead may have issued it. */
const skewMs = 60_000
const shape = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{22})\.([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/

export function createGuestCookies(deps: GuestCookiesDeps): GuestCookies {
  const { secure, maxAgeMs, clock, randomBytes } = deps
  const key = createHmac('sha256', (deps.secret ?? deps.internalSecret).reveal())
    .update('cookies of guests')
    .digest()
  // Another site of the same domain can set every cookie but one of this kind, and so make a person its own guest.
  const name = secure ? hostName : plainName

  const sign = (text: string): Buffer => createHmac('sha256', key).update(text).digest()

  function verified(value: string): GuestIdentity | undefined {
    const [, origin, id, issuedAt, signature] = shape.exec(value) ?? []
    if (origin === undefined || id === undefined) return undefined
    if (issuedAt === undefined || signature === undefined) return undefined
    const expected = sign(`${origin}.${id}.${issuedAt}`)
    if (!timingSafeEqual(expected, Buffer.from(signature, 'base64url'))) return undefined
    const ageMs = clock.wall() - Number.parseInt(issuedAt, 36)
    return ageMs >= -skewMs && ageMs < maxAgeMs ? { origin, id } : undefined
  }

  return {
    read(rawHeaders) {
      for (const pair of valuesOf(rawHeaders, 'cookie').flatMap((value) => value.split(';'))) {
        if (cookieName(pair) !== name) continue
        const guest = verified(pair.slice(pair.indexOf('=') + 1).trim())
        if (guest !== undefined) return guest
      }
      return undefined
    },
    issue(origin) {
      const text = `${origin}.${randomBytes(idBytes).toString('base64url')}.${clock.wall().toString(36)}`
      const value = `${text}.${sign(text).toString('base64url')}`
      const lasts = `Max-Age=${Math.floor(maxAgeMs / 1_000)}`
      return `${name}=${value}; Path=/; ${lasts}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`
    },
  }
}
