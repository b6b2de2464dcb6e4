import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readSettings } from '@berth/shared/settings'
import { directorSettings, warningsAbout } from '@berth/shared/director-settings'
import { createGatewayCookies, gatewayCookiePatterns } from './gateway-cookies.ts'

const needed = { SPAWNER_HOST: 'spawner', INTERNAL_SECRET: 'a secret of the tests' }

/** The cookies that reach a workspace of a director with these settings. */
function passed(env: Record<string, string>, cookieHeader: string): string | undefined {
  const config = readSettings(directorSettings, { ...needed, ...env }, () => '')
  return createGatewayCookies(gatewayCookiePatterns(config)).without(cookieHeader)
}

describe('the cookies of the gateway', () => {
  const own = [
    'other=session',
    'other_0=first half',
    'other_1=second half',
    'other_csrf=a',
    'other_h4sh_csrf=b',
  ]

  it('are kept from workspaces under the name that the gateway has for them', () => {
    const env = { OAUTH2_PROXY_COOKIE_NAME: 'other' }
    assert.equal(
      passed(env, [...own, 'a=1', 'others=2', 'another=3'].join('; ')),
      'a=1; others=2; another=3',
    )
  })

  it('are kept from workspaces under that name also beside a list of further ones', () => {
    const env = { OAUTH2_PROXY_COOKIE_NAME: '__Host-s', GATEWAY_COOKIES: 'x-*' }
    assert.equal(passed(env, '__Host-s=1; x-y=2; __Host-s_0=3; a=4'), 'a=4')
  })

  it('leave cookies of applications alone whose names begin with that name', () => {
    const env = { OAUTH2_PROXY_COOKIE_NAME: 'session' }
    const apps = 'session_id=1; session_token=2; session_=3; session_0x=4; sessionid=5'
    assert.equal(passed(env, `session_0=own; session_15=own; session_h_csrf=own; ${apps}`), apps)
  })

  it('have no name that is so long that oauth2-proxy shortens it for its parts', () => {
    const env = { OAUTH2_PROXY_COOKIE_NAME: 's'.repeat(255) }
    assert.throws(() => passed(env, 'a=1'), /OAUTH2_PROXY_COOKIE_NAME.* at most 200/)
  })

  it('have the usual names without a setting', () => {
    assert.equal(passed({}, '_oauth2_proxy=1; _oauth2_proxy_0=2; _oauth2_proxy_csrf=3; a=4'), 'a=4')
  })
})

describe('a director that cannot know the names of the cookies of the gateway', () => {
  const warned = (env: Record<string, string>) =>
    warningsAbout(
      readSettings(directorSettings, { ...needed, ...env }, () => ''),
      env,
    ).filter((warning) => warning.includes('GATEWAY_COOKIES'))

  it('says so at start, with the names that it keeps from workspaces', () => {
    const [warning = '', ...more] = warned({})
    assert.match(warning, /_oauth2_proxy\*.*applications see the session/)
    assert.deepEqual(more, [])
  })

  it('says nothing once either setting is there', () => {
    assert.deepEqual(warned({ GATEWAY_COOKIES: 'x' }), [])
    assert.deepEqual(warned({ OAUTH2_PROXY_COOKIE_NAME: 'x' }), [])
  })
})
