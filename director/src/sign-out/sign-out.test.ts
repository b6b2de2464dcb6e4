import assert from 'node:assert/strict'
import { once } from 'node:events'
import http, { type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { startTestBed, type TestBedOptions } from '../testing/test-bed.ts'

async function startProvider(listener: RequestListener) {
  const server = http.createServer(listener)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    issuer: `http://127.0.0.1:${port}/realms/people/`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const config = (issuer: string): NonNullable<TestBedOptions['config']> => ({
  OAUTH2_PROXY_OIDC_ISSUER_URL: issuer,
  OAUTH2_PROXY_CLIENT_ID: 'berth',
})
const asked = {
  path: '/.berth/sign-out',
  navigation: true,
  headers: { cookie: 'mine=1; _oauth2_proxy_0=a; _oauth2_proxy_1=b' },
}
const namesOf = (setCookies: readonly string[] | undefined) =>
  setCookies?.map((text) => text.split('=', 1)[0])

describe('signing out', () => {
  it('ends the gateway’s session in the browser and leads to the provider, and from there back', async () => {
    let questions = 0
    await using provider = await startProvider((req, res) => {
      questions += 1
      assert.equal(req.url, '/realms/people/.well-known/openid-configuration')
      res.end(JSON.stringify({ end_session_endpoint: 'https://id.test/logout?kc=1' }))
    })
    await using bed = await startTestBed({ config: config(provider.issuer) })
    assert.equal(questions, 0, 'the director starts without the provider')
    for (const user of ['alice', '']) {
      const answer = await bed.request({ ...asked, user })
      assert.equal(answer.status, 302)
      const names = new Set(namesOf(answer.headers['set-cookie']))
      assert.deepEqual([...names], ['_oauth2_proxy_0', '_oauth2_proxy_1'])
      const url = new URL(answer.headers.location ?? '')
      assert.equal(url.origin + url.pathname, 'https://id.test/logout')
      assert.deepEqual(Object.fromEntries(url.searchParams), {
        kc: '1',
        client_id: 'berth',
        post_logout_redirect_uri: 'http://berth.test/',
      })
    }
    assert.equal(questions, 1)
    assert.deepEqual(bed.spawner.asked, [])
  })

  it('returns over https where the public address has it', async () => {
    await using provider = await startProvider((_req, res) => {
      res.end(JSON.stringify({ end_session_endpoint: 'https://id.test/logout' }))
    })
    await using bed = await startTestBed({
      config: { ...config(provider.issuer), PUBLIC_URL: 'https://berth.test' },
    })
    const answer = await bed.request(asked)
    const back = new URL(answer.headers.location ?? '').searchParams.get('post_logout_redirect_uri')
    assert.equal(back, 'https://berth.test/')
    for (const cookie of answer.headers['set-cookie'] ?? []) assert.match(cookie, /; Secure$/)
  })

  for (const [what, listener] of [
    ['names no such address', (_req, res) => res.end('{"issuer":"x"}')],
    [
      'names no address of the web',
      (_req, res) => res.end('{"end_session_endpoint":"javascript:1"}'),
    ],
    ['fails', (_req, res) => res.writeHead(500).end()],
    ['closes the connection', (req) => req.socket.destroy()],
  ] as const satisfies readonly (readonly [string, RequestListener])[])
    it(`ends the gateway’s session and says what remains, if the provider ${what}`, async () => {
      await using provider = await startProvider(listener)
      await using bed = await startTestBed({ config: config(provider.issuer) })
      const answer = await bed.request(asked)
      assert.equal(answer.status, 200)
      assert.ok(namesOf(answer.headers['set-cookie'])?.includes('_oauth2_proxy_1'))
      assert.match(answer.body, /signed out here[^]*identity provider may still be open/)
    })

  it('asks the provider again after a failure, and logs the failure', async () => {
    let questions = 0
    await using provider = await startProvider((_req, res) => {
      questions += 1
      if (questions === 1) res.writeHead(503).end()
      else res.end(JSON.stringify({ end_session_endpoint: 'https://id.test/logout' }))
    })
    await using bed = await startTestBed({ config: config(provider.issuer) })
    assert.equal((await bed.request(asked)).status, 200)
    await bed.logged(({ message }) => String(message).includes('could not be asked'))
    assert.equal((await bed.request(asked)).status, 302)
  })

  it('is offered to a person whose identity is refused', async () => {
    await using bed = await startTestBed()
    const answer = await bed.request({ user: '', navigation: true })
    assert.equal(answer.status, 401)
    assert.match(answer.body, /<a href="\/\.berth\/sign-out">Sign out<\/a>/)
    assert.match(answer.body, /IDENTITY_HEADER/)
  })
})
