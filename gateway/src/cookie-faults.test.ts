import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cookieFaults } from './cookie-faults.ts'

const env = (settings: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [`OAUTH2_PROXY_COOKIE_${name}`, value]),
  )

describe('the settings of the cookie', () => {
  for (const [what, args, settings, fault] of [
    ['a name that the director is not told', ['--cookie-name=x'], {}, /OAUTH2_PROXY_COOKIE_NAME/],
    ['the same with one dash', ['-cookie-name', 'x'], {}, /the director has to know it/],
    ['__Host- without TLS', [], { NAME: '__Host-s', SECURE: 'false' }, /SECURE=false/],
    ['__Secure- without TLS', [], { NAME: '__secure-s', SECURE: 'false' }, /SECURE=false/],
    ['__Host- for a domain', [], { NAME: '__Host-s', DOMAINS: '.example.com' }, /DOMAINS/],
    ['__Host- for a path', [], { NAME: '__Host-s', PATH: '/a' }, /PATH/],
    ['SameSite=None without TLS', [], { SAMESITE: 'none', SECURE: 'false' }, /SAMESITE=none/],
  ] as const)
    it(`are refused: ${what}`, () => {
      const faults = cookieFaults(args, env(settings))
      assert.equal(faults.length, 1)
      assert.match(faults[0] ?? '', fault)
    })

  for (const settings of [
    {},
    { NAME: '_oauth2_proxy', SECURE: 'false', SAMESITE: 'lax' },
    { NAME: '__Host-s', SECURE: 'true', DOMAINS: '', PATH: '/' },
    { NAME: '__Secure-s', DOMAINS: '.example.com' },
    { NAME: 'host-s', SECURE: 'false', DOMAINS: '.example.com' },
    { SAMESITE: 'none' },
  ])
    it(`are accepted: ${JSON.stringify(settings)}`, () => {
      assert.deepEqual(cookieFaults(['--cookie-refresh=1h'], env(settings)), [])
    })
})
