import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { systemClock } from '@berth/shared/clock'
import { createLog } from '@berth/shared/log'
import { readConfig } from './config.ts'
import { createMemoryStore } from './memory-store.ts'
import { createPages } from './pages.ts'
import { createProvider } from './provider.ts'
import { createIdpServer } from './server.ts'
import { createSignIn } from './sign-in.ts'

const host = 'idp.localhost:4191'
const secret = 'a-secret-of-some-length'
const verifier = 'v'.repeat(50)
const callback = 'http://localhost:4180/oauth2/callback'
let port: number
let close: () => void

before(async () => {
  const config = readConfig(
    { OAUTH2_PROXY_CLIENT_SECRET: secret, IDP_PEOPLE: 'müller;groups=;email=' },
    () => assert.fail(),
  )
  const { people, publicUrl: startUrl } = config
  const pages = createPages({ people: people.all, formOrigins: [], startUrl })
  const log = createLog({ service: 'idp', level: 'silent' })
  const provider = createProvider(config, createMemoryStore(systemClock), pages)
  const signIn = createSignIn({ provider, people, pages, log })
  const server = createIdpServer({ provider, signIn, pages, startUrl, log })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  close = () => {
    server.close()
    server.closeAllConnections()
  }
})

after(() => close())

interface Answer {
  readonly status: number
  readonly location: string
  readonly html: string
}

/** A browser's cookies with their paths. All tabs share them. */
function createBrowser() {
  const jar = new Map<string, { pair: string; path: string }>()

  function keep(header: string): void {
    const [pair = '', ...attributes] = header.split('; ')
    const path = attributes.find((one) => one.startsWith('path='))?.slice(5) ?? '/'
    jar.set(`${pair.split('=')[0]} ${path}`, { pair, path })
  }

  return async (
    path: string,
    form?: Record<string, string>,
    headers: OutgoingHttpHeaders = {},
  ): Promise<Answer> => {
    const cookies = [...jar.values()].filter((one) => path.startsWith(one.path))
    const outgoing = httpRequest({
      ...{ host: '127.0.0.1', port, path, agent: false, method: form ? 'POST' : 'GET' },
      headers: {
        ...{ host, accept: 'text/html', cookie: cookies.map((one) => one.pair).join('; ') },
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
        ...headers,
      },
    })
    outgoing.end(form ? new URLSearchParams(form).toString() : undefined)
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
    for (const header of response.headers['set-cookie'] ?? []) keep(header)
    const html = (await response.toArray()).join('')
    const location = (response.headers.location ?? '').replace(`http://${host}`, '')
    return { status: response.statusCode ?? 0, location, html }
  }
}

type Browser = ReturnType<typeof createBrowser>

/** Opens a tab up to the form. @returns the address of the form */
async function openTab(browse: Browser, state: string): Promise<string> {
  const challenge = createHash('sha256').update(verifier).digest('base64url')
  const query = new URLSearchParams({
    ...{ client_id: 'berth', response_type: 'code', redirect_uri: callback, state },
    ...{ scope: 'openid email profile groups' },
    ...{ code_challenge: challenge, code_challenge_method: 'S256' },
  })
  const { status, location } = await browse(`/auth?${query.toString()}`)
  assert.equal(status, 303)
  return location
}

test('any name below localhost at the port of the gateway may be led back to, and no other address', async () => {
  const ask = async (redirect_uri: string) => {
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    const query = new URLSearchParams({
      ...{ client_id: 'berth', response_type: 'code', redirect_uri, state: 's', scope: 'openid' },
      ...{ code_challenge: challenge, code_challenge_method: 'S256' },
    })
    return (await createBrowser()(`/auth?${query.toString()}`)).status
  }
  for (const name of ['board', 'a.b', 'desk-2'])
    assert.equal(await ask(`http://${name}.localhost:4180/oauth2/callback`), 303, name)
  for (const uri of [
    'http://board.localhost:4181/oauth2/callback',
    'http://board.localhost:4180/elsewhere',
    'http://board.localhost:4180/oauth2/callback?x=1',
    'http://board.example.com:4180/oauth2/callback',
    'http://localhost.example.com:4180/oauth2/callback',
    'http://a@b.localhost:4180/oauth2/callback',
    'https://board.localhost:4180/oauth2/callback',
  ])
    assert.equal(await ask(uri), 400, uri)
})

/** Submits the form. @returns the redirect address of the gateway, with code and state */
async function fillIn(browse: Browser, form: string, name: string): Promise<URL> {
  const posted = await browse(form, { login: name, password: name })
  assert.equal(posted.status, 303)
  return new URL((await browse(posted.location)).location)
}

test('redirects from the form to the gateway with a code, whose token identifies the person', async () => {
  const browse = createBrowser()
  const form = await openTab(browse, 'one')
  assert.match((await browse(form)).html, /name="login"/)
  const back = await fillIn(browse, form, 'admin')
  assert.equal(back.origin + back.pathname, callback)
  const claims = await claimsOf(browse, back)
  assert.equal(claims['sub'], 'u-admin')
  assert.equal(claims['preferred_username'], 'admin')
  assert.deepEqual(claims['groups'], ['staff', 'admins'])
  assert.equal(claims['email'], 'admin@example.test')
  assert.equal(claims['email_verified'], true)
})

test('puts names beyond ASCII into the token, and leaves out missing claims', async () => {
  const browse = createBrowser()
  const claims = await claimsOf(
    browse,
    await fillIn(browse, await openTab(browse, 'one'), 'müller'),
  )
  assert.equal(claims['preferred_username'], 'müller')
  assert.deepEqual(claims['groups'], [])
  assert.equal('email' in claims, false)
})

async function claimsOf(browse: Browser, back: URL): Promise<Record<string, unknown>> {
  const token = await browse(
    '/token',
    {
      ...{ grant_type: 'authorization_code', redirect_uri: callback, code_verifier: verifier },
      code: back.searchParams.get('code') ?? '',
    },
    { authorization: `Basic ${Buffer.from(`berth:${secret}`).toString('base64')}` },
  )
  const { id_token: idToken } = JSON.parse(token.html) as { id_token: string }
  const payload = Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()
  return JSON.parse(payload) as Record<string, unknown>
}

test('hazard: leads many tabs that sign in at once back, each to its own address', async () => {
  const browse = createBrowser()
  const states = Array.from({ length: 10 }, (_, at) => `tab${at}`)
  const forms = await Promise.all(states.map((state) => openTab(browse, state)))
  const backs = await Promise.all(forms.map((form) => fillIn(browse, form, 'alice')))
  assert.deepEqual(
    backs.map((back) => back.searchParams.get('state')),
    states,
  )
  assert.ok(backs.every((back) => back.searchParams.has('code')))
})

test('redirects a signed-in person without a form', async () => {
  const browse = createBrowser()
  await fillIn(browse, await openTab(browse, 'first'), 'bob')
  assert.match(await openTab(browse, 'second'), /^http:\/\/localhost:4180\/oauth2\/callback\?code=/)
})

test('shows the form again after a wrong password, and then accepts the right one', async () => {
  const browse = createBrowser()
  const form = await openTab(browse, 'one')
  const refused = await browse(form, { login: 'alice', password: 'wrong' })
  assert.equal(refused.status, 422)
  assert.match(refused.html, /role="alert"/)
  assert.ok((await fillIn(browse, form, 'alice')).searchParams.has('code'))
})

test('refuses an invalid or too long form like a wrong password', async () => {
  const browse = createBrowser()
  const form = await openTab(browse, 'one')
  const login = { login: 'alice', password: 'alice' }
  const json = await browse(form, login, { 'content-type': 'application/json' })
  assert.equal(json.status, 422)
  const long = await browse(form, { ...login, padding: 'x'.repeat(20_000) })
  assert.equal(long.status, 422)
})

test('reports a form of a finished sign-in, or of another browser', async () => {
  const browse = createBrowser()
  const form = await openTab(browse, 'one')
  await fillIn(browse, form, 'alice')
  for (const late of [browse, createBrowser()]) {
    const answer = await late(form, { login: 'alice', password: 'alice' })
    assert.equal(answer.status, 400)
    assert.match(answer.html, /This sign-in is over/)
  }
})

test('hazard: redirects only to addresses of the gateway', async () => {
  const browse = createBrowser()
  const query = 'client_id=berth&response_type=code&scope=openid&redirect_uri='
  const answer = await browse(`/auth?${query}${encodeURIComponent('https://evil.example/')}`)
  assert.equal(answer.status, 400)
  assert.equal(answer.location, '')
})
