import assert from 'node:assert/strict'
import type http from 'node:http'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import type { Route } from '@berth/shared/contract'
import { parseNetwork } from '@berth/shared/networks'
import { createProblem } from '@berth/shared/problems'
import {
  granted,
  labRoute,
  startTestBed,
  type TestBed,
  type TestRequest,
} from '../testing/test-bed.ts'
import type { DirectorConfig } from '@berth/shared/director-settings'

const open: Route = { ...labRoute, guests: true, passIdentity: ['user', 'subject', 'groups'] }
const closed: Route = {
  ...labRoute,
  template: 'staff',
  prefix: 'staff',
  hosts: ['staff.test'],
}

async function start(config: Partial<DirectorConfig> = {}, routes: Route[] = [open, closed]) {
  const bed = await startTestBed({ config: { GUEST_PORT: 0, ...config } })
  await bed.introduce(routes)
  const workspace = await bed.workspace((req, res) => {
    res.setHeader('set-cookie', ['berth_guest=forged', 'mine=1'])
    res.end(JSON.stringify(req.headers))
  })
  bed.spawner.seats = async () => granted(workspace.address)
  const ask = (request: TestRequest) => bed.request({ ...request, port: bed.director.guestPort })
  return { bed, workspace, ask, [Symbol.asyncDispose]: () => bed[Symbol.asyncDispose]() }
}

const cookieOf = (headers: http.IncomingHttpHeaders): string =>
  (headers['set-cookie']?.[0] ?? '').split(';', 1)[0] ?? ''

async function becomeGuest(ask: (request: TestRequest) => ReturnType<TestBed['request']>) {
  const first = await ask({ path: '/tree?a=b', navigation: true })
  return { cookie: cookieOf(first.headers), first }
}

const userOf = ({ spawner }: TestBed) => spawner.asked.at(-1)?.user

describe('the port of guests', () => {
  it('is not there without GUEST_PORT', async () => {
    await using bed = await startTestBed()
    assert.equal(bed.director.guestPort, undefined)
    await bed.introduce([open, closed])
    const told = bed.log.filter(({ message }) => /GUEST_PORT is not set/.test(String(message)))
    assert.deepEqual(
      told.map(({ template }) => template),
      ['lab'],
    )
  })

  it('gives a navigation a cookie, and a seat only once the cookie has come back', async () => {
    await using test = await start()
    const { bed, ask } = test
    const { cookie, first } = await becomeGuest(ask)
    assert.deepEqual(
      [first.status, first.headers.location, first.headers['cache-control']],
      [303, `/.berth/guest?to=${encodeURIComponent('/tree?a=b')}`, 'no-store'],
    )
    const second = await ask({
      path: first.headers.location ?? '',
      navigation: true,
      headers: { cookie },
    })
    assert.deepEqual([second.status, second.headers.location], [303, '/tree?a=b'])
    assert.equal(second.headers['set-cookie'], undefined)
    assert.equal(bed.spawner.asked.length, 0)

    const third = await ask({ path: '/tree?a=b', navigation: true, headers: { cookie } })
    assert.equal(third.status, 200)
    assert.match(userOf(bed)?.name ?? '', /^guest--[0189][a-z2-7]{9}$/)
    assert.deepEqual(userOf(bed)?.groups, [])
  })

  it('tells a client that keeps no cookie so, and starts nothing for it', async () => {
    await using test = await start()
    const { bed, ask } = test
    const page = await ask({ path: '/.berth/guest?to=%2F', navigation: true })
    assert.equal(page.status, 401)
    assert.match(page.body, /cookies/)
    assert.ok(page.headers['set-cookie'], 'the button of the page tries again')
    for (const request of [
      { path: '/' },
      { path: '/', method: 'HEAD', headers: { accept: 'text/html' } },
      { path: '/', method: 'POST', headers: { accept: 'text/html' } },
      { path: '/', navigation: true, headers: { 'sec-purpose': 'prefetch' } },
      { path: '/', navigation: true, headers: { 'sec-fetch-mode': 'cors' } },
      { path: '/.berth/guest' },
      { path: '/.berth/status' },
      { path: '/.berth/start', method: 'POST' },
    ]) {
      const answer = await ask(request)
      assert.equal(answer.status, 401, JSON.stringify(request))
      assert.equal(answer.headers['set-cookie'], undefined)
      if (request.method !== 'HEAD') assert.match(answer.body, /"code":"cookie_missing"/)
    }
    assert.equal(bed.spawner.asked.length, 0)
    assert.equal(bed.spawner.passed.length, 0)
  })

  it('hazard: a target that leads to another site; the client is led to the root', async () => {
    await using test = await start()
    const { cookie } = await becomeGuest(test.ask)
    for (const to of ['//evil.test', 'https://evil.test', '/\\evil.test', ''])
      assert.equal(
        (
          await test.ask({
            path: `/.berth/guest?to=${encodeURIComponent(to)}`,
            navigation: true,
            headers: { cookie },
          })
        ).headers.location,
        '/',
      )
  })

  it('hazard: identity headers of the client, the secret of the gateway among them; none is believed', async () => {
    await using test = await start()
    const { bed, ask } = test
    const { cookie } = await becomeGuest(ask)
    const forged = {
      cookie,
      'x-forwarded-preferred-username': 'alice',
      'x-forwarded-user': 'u-alice',
      'x-forwarded-groups': 'admins',
      'x-forwarded-email': 'alice@berth.test',
      'x-forwarded-access-token': 'token',
      'berth-gateway-secret': 'a secret of the tests',
      'berth-user': 'alice',
    }
    const seen = JSON.parse((await ask({ headers: forged })).body) as Record<string, string>
    const guest = userOf(bed)
    assert.match(guest?.name ?? '', /^guest--/)
    assert.equal(seen['x-forwarded-preferred-username'], guest?.name)
    assert.equal(seen['x-forwarded-user'], guest?.subject)
    for (const name of ['groups', 'email', 'access-token'])
      assert.equal(seen[`x-forwarded-${name}`], undefined, name)
    assert.equal(seen['berth-gateway-secret'], undefined)
    assert.equal(seen['cookie'], undefined, 'the cookie of the guest')

    await ask({ path: '/.berth/status', headers: forged })
    assert.equal(bed.spawner.passed.at(-1)?.headers['berth-user'], guest?.name)
  })

  it('hazard: a token for a template that gets those of the gateway; none passes', async () => {
    await using test = await start({}, [{ ...open, passTokens: ['access', 'id'] }])
    const { cookie } = await becomeGuest(test.ask)
    const answer = await test.ask({
      headers: { cookie, authorization: 'Bearer a.b.c', 'x-forwarded-access-token': 'token' },
    })
    const seen = JSON.parse(answer.body) as Record<string, string>
    assert.equal(seen['authorization'], undefined)
    assert.equal(seen['x-forwarded-access-token'], undefined)
  })

  it('lets no application set the cookie of a guest', async () => {
    await using test = await start()
    const { cookie } = await becomeGuest(test.ask)
    const answer = await test.ask({ headers: { cookie: `${cookie}; other=1` } })
    assert.deepEqual(answer.headers['set-cookie'], ['mine=1'])
    assert.equal((JSON.parse(answer.body) as Record<string, string>)['cookie'], 'other=1')
  })

  it('serves only the templates that allow guests, and nothing of those who have signed in', async () => {
    await using test = await start({
      PORTAL_URL: 'http://portal.test',
      PUBLIC_URL: 'http://berth.test',
    })
    const { bed, ask } = test
    const { cookie } = await becomeGuest(ask)
    for (const [host, path] of [
      ['portal.test', '/'],
      ['portal.test', '/api/v1/workspaces'],
      ['portal.test', '/admin'],
    ] as const) {
      const answer = await ask({ path, navigation: true, headers: { host, cookie } })
      assert.equal(answer.status, 404, host + path)
      assert.doesNotMatch(answer.body, /sign-out|portal\.test/)
    }
    assert.equal(bed.spawner.passed.length, 0)
    await ask({ path: '/', headers: { host: 'staff.test', cookie } })
    assert.equal(bed.spawner.asked.at(-1)?.template, 'lab')

    const out = await ask({ path: '/.berth/sign-out', navigation: true, headers: { cookie } })
    assert.equal(bed.spawner.passed.at(-1)?.target, '/.berth/sign-out')
    assert.equal(out.headers['set-cookie'], undefined)
  })

  it('leads other host names than those of GUEST_URL and of the templates nowhere', async () => {
    await using test = await start({ GUEST_URL: 'http://try.test:8443' }, [
      open,
      { ...closed, guests: true },
    ])
    const { cookie } = await becomeGuest(test.ask)
    const statusAt = async (host: string) => (await test.ask({ headers: { host, cookie } })).status
    assert.deepEqual(
      [await statusAt('try.test'), await statusAt('staff.test'), await statusAt('other.test')],
      [200, 200, 404],
    )
  })

  it('is for guests alone: the listener of the gateway knows no cookie of a guest', async () => {
    await using test = await start()
    const { bed, ask } = test
    const { cookie } = await becomeGuest(ask)
    await bed.request({ headers: { cookie } })
    assert.equal(userOf(bed)?.name, 'alice')
    const answer = await bed.request({
      headers: { cookie, 'x-forwarded-preferred-username': '', 'x-forwarded-user': '' },
    })
    assert.equal(answer.status, 401)
  })

  it('refuses a WebSocket without a cookie, and one that a page of another host opens', async () => {
    await using test = await start()
    const { cookie } = await becomeGuest(test.ask)
    const statusOf = async (headers: http.OutgoingHttpHeaders): Promise<number | undefined> => {
      const sent = test.bed.begin({
        port: test.bed.director.guestPort,
        headers: {
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
          ...headers,
        },
      })
      sent.end()
      const [response] = (await once(sent, 'response')) as [http.IncomingMessage]
      response.resume()
      return response.statusCode
    }
    assert.equal(await statusOf({ origin: 'http://berth.test' }), 401)
    assert.equal(await statusOf({ origin: 'http://evil.test', cookie }), 403)
    assert.equal(test.bed.spawner.asked.length, 0)
  })

  it('counts the connections of all guests of one address together', async () => {
    const proxies = [parseNetwork('127.0.0.0/8')].filter((network) => network !== undefined)
    await using test = await start({ MAX_CONNECTIONS_PER_USER: 1, GUEST_PROXY_FROM: proxies })
    const { bed, ask } = test
    const guestAt = async (address: string) => {
      const first = await ask({ navigation: true, headers: { 'x-forwarded-for': address } })
      return cookieOf(first.headers)
    }
    const [one, two, three] = [
      await guestAt('192.0.2.1'),
      await guestAt('192.0.2.1'),
      await guestAt('192.0.2.2'),
    ]
    const held = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const seats = bed.spawner.seats
    bed.spawner.seats = async (request, signal) => {
      asked.resolve()
      await held.promise
      return await seats(request, signal)
    }
    const first = ask({ headers: { cookie: one } })
    await asked.promise
    const second = await ask({ headers: { cookie: two } })
    assert.deepEqual([second.status, second.headers['retry-after']], [429, '5'])
    const other = ask({ headers: { cookie: three } })
    held.resolve()
    assert.equal((await first).status, 200)
    assert.equal((await other).status, 200)
  })

  it('tells a program when to come again where there are too many guests', async () => {
    await using test = await start()
    const { cookie } = await becomeGuest(test.ask)
    for (const [code, status] of [
      ['limit_guests', 503],
      ['limit_guests_address', 429],
    ] as const) {
      test.bed.spawner.seats = async () => createProblem(undefined, code, 'Too many.')
      const answer = await test.ask({ headers: { cookie } })
      assert.deepEqual([answer.status, answer.headers['retry-after']], [status, '5'])
    }
  })
})
