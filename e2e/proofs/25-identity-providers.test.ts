// Proof 25: the settings that docs/identity-providers.md gives for each provider let people in, against a provider with
// the scopes and claims of that one. Without them, the page says what to set.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { arrive } from '../clients/arrival.ts'
import { createCookieJar } from '../clients/cookie-jar.ts'
import { signIn } from '../clients/people.ts'
import { beginSignIn } from '../clients/sign-in.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { chooseGateway } from '../deployment/gateway.ts'
import { settingsFor } from '../deployment/provider-settings.ts'
import type { Settings } from '../deployment/templates.ts'
import { run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { surroundings } from '../run/surroundings.ts'

const apache = (await chooseGateway()) === 'apache'
const staffOfEntra = '15622065-43da-7641-23c2-1bd524674f0a'

/** What is of the provider’s own deployment: the place of the provider, and nothing else. */
const placed = (berth: Deployment, settings: Settings): Settings => {
  const issuer = berth.settings['OAUTH2_PROXY_OIDC_ISSUER_URL'] ?? ''
  return { ...settings, OAUTH2_PROXY_OIDC_ISSUER_URL: issuer }
}

interface Case {
  readonly heading: string
  /** Also the login of a person: each has a subject and a home of their own. */
  readonly shape: string
  readonly userName: string
  /** A group of the person, as the provider names it. */
  readonly group?: string
  readonly settings?: (issuer: string) => Settings
  /** Only oauth2-proxy can sign people in with this provider, or needs such settings. */
  readonly oauth2ProxyOnly?: boolean
}

const cases: readonly Case[] = [
  { heading: 'Keycloak', shape: 'keycloak', userName: 'keycloak', group: 'staff' },
  { heading: 'Entra ID', shape: 'entra', userName: 'entra@example.test', group: staffOfEntra },
  {
    heading: 'Google',
    shape: 'google',
    userName: 'google@example.test',
    settings: () => ({ OAUTH2_PROXY_EMAIL_DOMAINS: 'example.test' }),
  },
  {
    heading: 'GitHub',
    shape: 'github',
    userName: 'github',
    group: 'example:staff',
    settings: (issuer) => ({
      OAUTH2_PROXY_LOGIN_URL: `${issuer}/auth`,
      OAUTH2_PROXY_REDEEM_URL: `${issuer}/token`,
      OAUTH2_PROXY_VALIDATE_URL: `${issuer}/api/v3/user`,
    }),
    oauth2ProxyOnly: true,
  },
  { heading: 'GitLab', shape: 'gitlab', userName: 'gitlab', group: 'staff' },
  { heading: 'Okta', shape: 'okta', userName: 'okta@example.test', group: 'staff' },
  {
    heading: 'Auth0',
    shape: 'auth0',
    userName: 'auth0@example.test',
    group: 'staff',
    oauth2ProxyOnly: true,
  },
  { heading: 'Authentik', shape: 'authentik', userName: 'authentik', group: 'staff' },
  { heading: 'Dex', shape: 'dex', userName: 'dex@example.test', group: 'staff' },
]

describe('proof 25: identity providers', () => {
  let berth: Deployment
  let blank: Settings
  before(async () => {
    berth = await deploy({
      name: 'idps',
      settings: {
        CONTAINER_PASS_IDENTITY: 'user,groups',
        IDP_PEOPLE: cases.map(({ shape }) => shape).join(','),
      },
    })
    const all = await Promise.all(cases.map(({ heading }) => settingsFor(heading)))
    const names = [...all, ...cases.map(({ settings }) => settings?.('') ?? {})].flatMap(
      Object.keys,
    )
    blank = Object.fromEntries(names.map((name) => [name, '']))
  })
  after(() => berth?.[Symbol.asyncDispose]())

  const become = (shape: string, settings: Settings): Promise<void> =>
    berth.reconfigure(
      placed(berth, { ...blank, IDP_SHAPE: shape, ...settings }),
      ...(['idp', 'director', 'gateway'] as const),
    )

  it('hazard: names the header and the variable to a person without preferred_username, instead of asking for a sign-in', async () => {
    const others = { ...(await settingsFor('Google')), IDENTITY_HEADER: '' }
    await become('google', { ...others, OAUTH2_PROXY_EMAIL_DOMAINS: '*' })
    const alice = await signIn(berth.site, 'alice')
    const answer = await alice.navigate('/')
    const page = await answer.text()
    assert.equal(answer.status, 401)
    for (const words of ['X-Forwarded-Preferred-Username', 'IDENTITY_HEADER', 'X-Forwarded-Email'])
      assert.ok(page.includes(words), `${words}: ${page}`)
    assert.match(page, /href="[^"]*sign[-_]out"/)
    assert.doesNotMatch(page, /[Pp]lease sign in/)
  })

  it('hazard: a scope that the provider does not know ends the sign-in with invalid_scope, which the gateway shows', async () => {
    await become('keycloak', {})
    await assert.rejects(beginSignIn(berth.site, createCookieJar()), (error: Error) => {
      assert.match(error.message, apache ? /invalid_scope|scope is not allowed/ : /invalid_scope/)
      return true
    })
  })

  const own = cases.filter(({ oauth2ProxyOnly }) => !apache || oauth2ProxyOnly !== true)
  for (const { heading, shape, userName, group, settings } of own) {
    it(`lets people of ${heading} in with the lines that its documentation has`, async () => {
      const issuer = berth.settings['OAUTH2_PROXY_OIDC_ISSUER_URL'] ?? ''
      await become(shape, { ...(await settingsFor(heading)), ...settings?.(issuer) })
      const person = await signIn(berth.site, shape)
      const answer = await arrive(person, '/echo')
      const text = await answer.text()
      assert.equal(answer.status, 200, text)
      const { headers } = JSON.parse(text) as { headers: readonly (readonly [string, string])[] }
      const valueOf = (name: string) =>
        headers.find(([one]) => one.toLowerCase() === name.toLowerCase())?.[1]
      const identity = berth.settings['IDENTITY_HEADER'] || 'X-Forwarded-Preferred-Username'
      assert.equal(valueOf(identity), userName)
      const groups = (valueOf('x-forwarded-groups') ?? '').split(',')
      assert.ok(group === undefined || groups.includes(group), groups.join())
    })
  }

  it('hazard: lets a person with 1,001 groups in, by the one that the template names', async () => {
    const groups = ['readers', ...Array.from({ length: 1_000 }, (_, at) => `g${at}`)]
    await become('demo', { IDP_PEOPLE: `many;groups=${groups.join('+')},none;groups=` })
    await berth.reconfigure({ CONTAINER_ALLOWED_GROUPS: 'readers' }, 'spawner')
    const answer = await arrive(await signIn(berth.site, 'many'))
    assert.equal(answer.status, 200)
    const refused = await (await signIn(berth.site, 'none')).navigate('/')
    assert.equal(refused.status, 403)
    await berth.reconfigure({ CONTAINER_ALLOWED_GROUPS: '' }, 'spawner')
  })

  it('hazard: tells a person whose user name changed where their files are, and opens them once an administrator has moved them', async () => {
    await become('demo', { IDP_PEOPLE: 'erin' })
    const before = await signIn(berth.site, 'erin')
    await arrive(before)
    const put = await before.ask('/files/mine.txt', { method: 'PUT', body: 'hers' })
    assert.ok(put.status < 300, `${put.status}`)
    put.leave()
    await become('demo', { IDP_PEOPLE: 'erika;sub=u-erin' })
    const erika = await signIn(berth.site, 'erika')
    const refused = await erika.navigate('/')
    const page = await refused.text()
    assert.equal(refused.status, 403)
    assert.match(page, /Your user name has changed[^]*former user name, erin/)

    const guide = await readFile(join(surroundings.root, 'docs/operations.md'), 'utf8')
    const [, section = ''] = guide.split('\n## A person got another user name\n')
    const [, commands = ''] = /```sh\n([^]*?)```/.exec(section) ?? []
    await run('docker', ['rm', '--force', berth.workspaceName('erin')])
    await run('sh', [
      '-ec',
      commands
        .replaceAll('berth.instance=berth', `berth.instance=${berth.instance}`)
        .replaceAll('=berth-', `=${berth.instance}-`)
        .replaceAll('alicia', 'erika')
        .replaceAll('alice', 'erin'),
    ])
    await eventually('the next inventory has seen the volume', 60_000, async () => {
      const answer = await erika.navigate('/')
      answer.leave()
      return answer.status !== 403
    })
    const hers = await arrive(erika, '/files/mine.txt')
    assert.equal(await hers.text(), 'hers')
  })
})
