import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import { createGuestCookies, type GuestCookiesDeps } from './guest-cookies.ts'

const hour = 3_600_000
let now = 1e12
const internalSecret = new Secret('the secret of the services')
const cookiesWith = (more: Partial<GuestCookiesDeps> = {}) =>
  createGuestCookies({
    secret: undefined,
    internalSecret,
    secure: false,
    maxAgeMs: hour,
    clock: { wall: () => now },
    randomBytes,
    ...more,
  })
const pairOf = (setCookie: string): string => setCookie.split(';', 1)[0] ?? ''

describe('the cookie of a guest', () => {
  it('is read again by every director of the same secret, beside other cookies', () => {
    const pair = pairOf(cookiesWith().issue('here'))
    const guest = cookiesWith().read(['Cookie', `a=b; ${pair}; berth_guestx=1`])
    assert.equal(guest?.origin, 'here')
    assert.match(guest?.id ?? '', /^[\w-]{22}$/)
    assert.deepEqual(cookiesWith().read(['cookie', 'a=b', 'COOKIE', pair]), guest)
  })

  it('makes each client a guest of its own', () => {
    const cookies = cookiesWith()
    const ids = ['one', 'two'].map(
      () => cookies.read(['cookie', pairOf(cookies.issue('here'))])?.id,
    )
    assert.notEqual(ids[0], ids[1])
  })

  it('is for browsers alone, not for scripts or other sites, and for https and one host where that is known', () => {
    const end = 'Path=/; Max-Age=3600; HttpOnly; SameSite=Lax'
    assert.match(cookiesWith().issue('here'), new RegExp(`^berth_guest=[^;]+; ${end}$`))
    const secure = cookiesWith({ secure: true })
    assert.match(secure.issue('here'), new RegExp(`^__Host-berth_guest=[^;]+; ${end}; Secure$`))
  })

  it('is not read under the name without __Host- where guests come by https', () => {
    const pair = pairOf(cookiesWith().issue('here'))
    const secure = cookiesWith({ secure: true })
    assert.equal(secure.read(['cookie', pair]), undefined)
    assert.ok(secure.read(['cookie', `__Host-${pair}`]))
  })

  it('hazard: forged, cut, changed and foreign values; none makes a guest', () => {
    const cookies = cookiesWith()
    const pair = pairOf(cookies.issue('here'))
    const [origin = '', id = '', issuedAt = '', signature = ''] = pair
      .slice(pair.indexOf('=') + 1)
      .split('.')
    const foreign = cookiesWith({ internalSecret: new Secret('another secret of services') })
    const values = [
      '',
      '.',
      `${origin}.${id}.${issuedAt}`,
      `${origin}.${id}.${issuedAt}.`,
      `${origin}.${id}.${issuedAt}.${signature.slice(0, -1)}`,
      `${origin}.${id}.${issuedAt}.${signature}A`,
      `${origin}.${id}.${issuedAt}.${'A'.repeat(43)}`,
      `${origin}.${id}.${(now + 1).toString(36)}.${signature}`,
      `elsewhere.${id}.${issuedAt}.${signature}`,
      `${origin}.${'A'.repeat(22)}.${issuedAt}.${signature}`,
      `${origin}.${id}.${issuedAt}.${signature}.${signature}`,
      encodeURIComponent(`${origin}.${id}.${issuedAt}.${signature} `),
    ]
    for (const value of values)
      assert.equal(cookies.read(['cookie', `berth_guest=${value}`]), undefined, value)
    assert.equal(cookies.read(['cookie', pairOf(foreign.issue('here'))]), undefined)
    assert.ok(cookies.read(['cookie', pair]))
  })

  it('ends with its age, and with the secret', () => {
    const pair = pairOf(cookiesWith().issue('here'))
    const readAt = (ms: number, more: Partial<GuestCookiesDeps> = {}) =>
      cookiesWith({ ...more, clock: { wall: () => now + ms } }).read(['cookie', pair])
    assert.ok(readAt(hour - 1))
    assert.equal(readAt(hour), undefined)
    assert.ok(readAt(-60_000), 'a director whose clock is behind')
    assert.equal(readAt(-60_001), undefined)
    assert.equal(readAt(0, { secret: new Secret('a secret of guests') }), undefined)
    now += hour
    assert.equal(cookiesWith().read(['cookie', pair]), undefined)
  })
})
