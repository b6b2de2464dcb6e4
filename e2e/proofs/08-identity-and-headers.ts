// Proof 8: over raw sockets: which requests are refused, and which headers a workspace receives.
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { arrive } from '../clients/arrival.ts'
import { signIn } from '../clients/people.ts'
import type { Place } from '../clients/place.ts'
import { requestBytes, sendRaw, type RawAnswer } from '../clients/raw.ts'
import { UpgradeRefused } from '../clients/web-socket.ts'
import type { Deployment } from '../deployment/deployment.ts'
import { workspacesOf } from '../engine/belongings.ts'
import { alice, identity, refusedHeads } from './refused-heads.ts'

interface Echo {
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
}

export function identityAndHeaders(deployment: () => Deployment): void {
  describe('proof 8: identity and headers', () => {
    let berth: Deployment
    let director: Place
    let host: string
    let usersBefore: readonly string[]
    before(async () => {
      berth = deployment()
      const [place] = await berth.directorPlaces()
      assert.ok(place)
      director = place
      host = new URL(berth.site.origin).host
      await arrive(await signIn(berth.site, 'alice'))
      usersBefore = await usersWithWorkspaces(berth)
    })

    const headOfAlice = (): string[] => alice({ host, secret: berth.gatewaySecret })
    const upgradeLines = [
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ]
    const get = (headers: readonly string[], path = '/echo'): Promise<RawAnswer> =>
      sendRaw(director, requestBytes([`GET ${path} HTTP/1.1`, ...headers]))
    const upgrade = (headers: readonly string[], path = '/ws'): Promise<RawAnswer> =>
      sendRaw(director, requestBytes([`GET ${path} HTTP/1.1`, ...upgradeLines, ...headers]))

    for (const { name, headers, status, code } of refusedHeads) {
      it(`refuses ${name} with ${status} ${code}, for requests and upgrades alike`, async () => {
        const lines = headers({ host, secret: berth.gatewaySecret })
        for (const answer of [await get(lines), await upgrade(lines)]) {
          assert.equal(answer.status, status, answer.head)
          assert.match(answer.head, /^content-type: application\/problem\+json/im)
          assert.ok(answer.body.includes(`"${code}"`), answer.body)
        }
      })
    }

    it('hazard: keeps the identity header when Connection names it, and lets nobody in without one', async () => {
      const answer = await get([...headOfAlice(), `Connection: ${identity}`])
      const { headers } = echoOf(answer)
      assert.equal(valuesOf(headers, 'connection').includes(identity), false)
      // If a gateway drops the header because of that, the request arrives without an identity.
      const person = await signIn(berth.site, 'alice')
      const through = await person.ask('/echo', { headers: { connection: identity } })
      const text = await through.text()
      assert.ok([200, 400, 401, 403].includes(through.status), text)
      if (through.status !== 200) assert.match(text, /identity_missing|Bad Request/)
    })

    it('accepts the secret as the password of Basic authorization, after the last colon', async () => {
      const credentials = Buffer.from(`u:with:colons:${berth.gatewaySecret}`).toString('base64')
      const answer = await get([
        `Host: ${host}`,
        `Authorization: Basic ${credentials}`,
        `${identity}: alice`,
        'X-Forwarded-User: u-alice',
      ])
      const { headers } = echoOf(answer)
      assert.deepEqual(
        valuesOf(headers, 'authorization'),
        [],
        'and it does not reach the workspace',
      )
    })

    it('hazard: refuses an upgrade from a foreign Origin (cross-site WebSocket hijacking)', async () => {
      for (const origin of ['http://evil.example', `${berth.site.origin}.evil.example`, 'null']) {
        const answer = await upgrade([...headOfAlice(), `Origin: ${origin}`])
        assert.equal(answer.status, 403, origin)
        assert.match(answer.body, /origin_refused/)
      }
      const own = await upgrade([...headOfAlice(), `Origin: ${berth.site.origin}`])
      assert.equal(own.status, 101, own.head)
      const person = await signIn(berth.site, 'alice')
      await assert.rejects(person.webSocket('/ws', { origin: 'http://evil.example' }), (error) => {
        assert.ok(error instanceof UpgradeRefused)
        assert.equal(error.status, 403)
        return true
      })
    })

    it('refuses TRACE, absolute targets and paths that begin like a host', async () => {
      for (const [line, status] of [
        ['TRACE /echo HTTP/1.1', 405],
        ['GET http://evil.example/echo HTTP/1.1', 400],
        ['GET //evil.example/echo HTTP/1.1', 400],
        ['GET /\\evil.example HTTP/1.1', 400],
      ] as const) {
        const answer = await sendRaw(director, requestBytes([line, ...headOfAlice()]))
        assert.equal(answer.status, status, `${line}: ${answer.head}`)
      }
    })

    it('hazard: refuses two framings, two lengths and bare line feeds (request smuggling)', async () => {
      const bodies = [
        ['Content-Length: 5', 'Transfer-Encoding: chunked'],
        ['Content-Length: 5', 'Content-Length: 6'],
        ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'],
      ]
      for (const framing of bodies) {
        const head = ['POST /echo HTTP/1.1', ...headOfAlice(), ...framing]
        const answer = await sendRaw(director, requestBytes(head, '0\r\n\r\n'))
        assert.equal(answer.status, 400, `${framing.join()}: ${answer.head}`)
      }
      const bare = await sendRaw(
        director,
        Buffer.from(`GET /echo HTTP/1.1\n${headOfAlice().join('\n')}\n\n`, 'latin1'),
      )
      assert.equal(bare.status, 400, bare.head)
    })

    it('forwards path and query byte for byte', async () => {
      const targets = [
        '/echo/a%2Fb//c/../d?x=%zz&y=a+b;c|"',
        '/echo/%e2%98%83/%00?',
        "/echo/(a)'b*!~$,;=:@",
      ]
      for (const target of targets) {
        const { target: arrived } = echoOf(await get(headOfAlice(), target))
        assert.equal(arrived, target)
      }
    })

    it("removes the gateway's cookies, secret and authorization from requests and upgrades", async () => {
      const person = await signIn(berth.site, 'alice')
      const viaRequest = await (
        await person.ask('/echo', { headers: { cookie: 'mine=1; _oauth2_proxy_2=forged' } })
      ).json<Echo>()
      const socket = await person.webSocket('/ws?hello')
      const viaUpgrade = JSON.parse(await socket.next()) as Echo
      socket.close()
      const direct = echoOf(
        await get([
          ...headOfAlice(),
          'Cookie: _oauth2_proxy=abc; mine=1; _oauth2_proxy_1=def; _oauth2_proxy_csrf=ghi',
          'X-Forwarded-For: 203.0.113.7, 10.9.9.9',
          'Forwarded: for=6.6.6.6',
          'X-Forwarded-Access-Token: token',
          'X-Auth-Request-User: bob',
          'Berth-User: bob',
          'Connection: X-Named',
          'X-Named: hop',
          'Proxy-Authorization: Basic eA==',
        ]),
      )
      for (const { headers } of [viaRequest, viaUpgrade, direct]) {
        const text = JSON.stringify(headers)
        assert.ok(!text.includes(berth.gatewaySecret), text)
        assert.ok(!/_oauth2_proxy|mod_auth_openidc|6\.6\.6\.6/.test(text), text)
        for (const name of [
          'authorization',
          'proxy-authorization',
          'berth-gateway-secret',
          'berth-user',
          'x-auth-request-user',
          'x-forwarded-access-token',
          'x-named',
          'forwarded',
        ])
          assert.deepEqual(valuesOf(headers, name), [], name)
      }
      const [addresses = ''] = valuesOf(direct.headers, 'x-forwarded-for')
      assert.match(
        addresses,
        /^203\.0\.113\.7, 10\.9\.9\.9, [\d.]+$/,
        'a proven gateway is believed',
      )
      assert.deepEqual(valuesOf(viaRequest.headers, 'cookie'), ['mine=1'])
      assert.deepEqual(valuesOf(direct.headers, 'cookie'), ['mine=1'])
    })

    it("drops cookies of the gateway that a workspace sets, and keeps the workspace's own", async () => {
      const person = await signIn(berth.site, 'alice')
      const query = new URLSearchParams([
        ['set-cookie', '_oauth2_proxy=stolen; Path=/'],
        ['set-cookie', 'wide=1; Domain=localhost'],
        ['set-cookie', 'own=1; Path=/'],
      ])
      const answer = await person.ask(`/headers?${query.toString()}`)
      const set = answer.setCookies.map((text) => text.split('=')[0])
      await answer.text()
      assert.ok(set.includes('own'))
      assert.ok(!set.includes('_oauth2_proxy') || !answer.setCookies.join().includes('stolen'))
    })

    it('passes headers of 60 KiB', async () => {
      const long = 'x'.repeat(7_500)
      const headers = Array.from({ length: 8 }, (_, n) => `X-Long-${n}: ${long}`)
      const { headers: direct } = echoOf(await get([...headOfAlice(), ...headers]))
      assert.equal(valuesOf(direct, 'x-long-7')[0], long)
      const person = await signIn(berth.site, 'alice')
      const through = await person.ask('/echo', {
        headers: Object.fromEntries(headers.map((line) => line.split(': ') as [string, string])),
      })
      assert.equal(through.status, 200)
      assert.equal(valuesOf((await through.json<Echo>()).headers, 'x-long-7')[0], long)
    })

    it('created no container for the refused requests', async () => {
      assert.ok(usersBefore.includes('alice'))
      assert.deepEqual(await usersWithWorkspaces(berth), usersBefore)
    })
  })
}

async function usersWithWorkspaces(berth: Deployment): Promise<readonly string[]> {
  const workspaces = await workspacesOf(berth.engine, berth.instance)
  return workspaces.map(({ Labels }) => Labels['berth.user'] ?? '').sort()
}

function echoOf({ status, head, body }: RawAnswer): Echo {
  assert.equal(status, 200, `${head}\n${body}`)
  const json = body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1)
  return JSON.parse(json) as Echo
}

function valuesOf(headers: Echo['headers'], name: string): string[] {
  return headers
    .filter(([given]) => given.toLowerCase() === name.toLowerCase())
    .map(([, value]) => value)
}
