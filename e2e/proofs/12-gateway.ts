// Proof 12: what a gateway must do besides signing people in: several tabs, expired sessions, and letting nobody in without a session.
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { arrive } from '../clients/arrival.ts'
import { createCookieJar } from '../clients/cookie-jar.ts'
import { createPerson, signIn } from '../clients/people.ts'
import { beginSignIn } from '../clients/sign-in.ts'
import { UpgradeRefused } from '../clients/web-socket.ts'
import type { Deployment } from '../deployment/deployment.ts'
import { workspacesOf } from '../engine/belongings.ts'
import { run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'

/** @param deployment in which mallory and carol have no workspace; the last test replaces its spawner */
export function theGateway(deployment: () => Deployment): void {
  describe('proof 12: the gateway', () => {
    let berth: Deployment
    before(() => {
      berth = deployment()
    })

    it('lets several tabs sign in at once, and each arrives at its own address', async () => {
      const jar = createCookieJar()
      const paths = ['/one?a=1', '/two?b=2', '/three']
      const tabs = []
      for (const path of paths) tabs.push({ path, tab: await beginSignIn(berth.site, jar, path) })
      for (const { path, tab } of tabs) {
        const { pathname, search } = await tab.submit('alice', 'alice')
        assert.equal(pathname + search, path)
      }
      const alice = createPerson(berth.site, 'alice', jar)
      assert.equal((await arrive(alice)).status, 200)
    })

    it('answers a background request without a session with 401, and redirects only navigations to the sign-in', async () => {
      const alice = await signIn(berth.site, 'alice')
      alice.jar.clear()
      for (const [path, headers] of [
        ['/api/contents', { accept: 'application/json' }],
        ['/.berth/status', {}],
      ] as const) {
        const answer = await alice.fetch(path, { headers })
        assert.equal(answer.status, 401, path)
        answer.leave()
      }
      const page = await alice.navigate('/lab')
      assert.equal(page.status, 302)
      page.leave()
      await assert.rejects(alice.webSocket('/ws'), (error) => {
        assert.ok(error instanceof UpgradeRefused)
        assert.ok([302, 401, 403].includes(error.status), `${error.status}`)
        return true
      })
    })

    it('lets nobody in by headers alone', async () => {
      const nobody = createPerson(berth.site, 'nobody', createCookieJar())
      const answer = await nobody.ask('/whoami', {
        headers: {
          accept: 'application/json',
          'x-forwarded-preferred-username': 'mallory',
          'x-forwarded-user': 'u-mallory',
          'berth-gateway-secret': 'guessed',
        },
      })
      assert.equal(answer.status, 401)
      answer.leave()
      const names = (await workspacesOf(berth.engine, berth.instance)).map(
        ({ Labels }) => Labels['berth.user'],
      )
      assert.ok(!names.includes('mallory'))
    })

    it('ignores identity headers that a signed-in person sends', async () => {
      const alice = await signIn(berth.site, 'alice')
      const answer = await alice.ask('/echo', {
        headers: {
          'x-forwarded-preferred-username': 'bob',
          'x-forwarded-user': 'u-bob',
          'x-forwarded-groups': 'admins',
          'x-forwarded-email': 'bob@example.test',
          'x-forwarded-for': '6.6.6.6',
        },
      })
      assert.equal(answer.status, 200)
      const text = await answer.text()
      assert.ok(!/bob|admins|6\.6\.6\.6/.test(text), text)
    })

    it('passes on what the application is asked with its own Authorization', async () => {
      const alice = await signIn(berth.site, 'alice')
      const headers = { authorization: 'Bearer of the application' }
      const text = await (await alice.ask('/echo', { headers })).text()
      assert.match(text, /Bearer of the application/)
      assert.ok(!text.includes(berth.gatewaySecret), text)
    })

    it('passes on encoded slashes and dots as they are, a body and a WebSocket with them', async () => {
      const alice = await signIn(berth.site, 'alice')
      for (const path of ['/echo/%2F/a', '/echo/a%2F', '/echo/%2e%2e/a', '/echo/a%2Fb?c=//../d']) {
        const answer = await alice.ask(path, { method: 'POST', body: 'five!' })
        assert.equal(answer.status, 200, path)
        const { target, body } = await answer.json<{ target: string; body: { length: number } }>()
        assert.deepEqual([target, body.length], [path, 5])
      }
      const socket = await alice.webSocket('/ws/%2F/a?hello')
      assert.match(await socket.next(), /"target":"\/ws\/%2F\/a\?hello"/)
      socket.close()
    })

    it('says what is malformed in an answer, and repairs what HTTP lets a proxy repair', async () => {
      const alice = await signIn(berth.site, 'alice')
      const answered = (text: string) =>
        alice.navigate(`/raw?base64=${Buffer.from(text).toString('base64url')}`)
      const repaired = await answered('HTTP/1.1 200 OK\nContent-Type: text/plain\n folded\n\nwhole')
      assert.equal(repaired.headers['content-type'], 'text/plain folded')
      assert.equal(await repaired.text(), 'whole')
      const malformed = await answered('HTTP/1.1 200 OK\r\nBroken\r\n\r\n')
      assert.equal(malformed.status, 502)
      assert.match(await malformed.text(), /not valid HTTP\. .*at .*answer_malformed/s)
      await eventually('the log says it, too', 10_000, async () =>
        /"code":"answer_malformed","cause":"[^"]+, at /.test(await berth.logs('director')),
      )
    })

    it('passes server-sent events as they come', async () => {
      const alice = await signIn(berth.site, 'alice')
      // After the first event there is nothing for an hour: a gateway that buffers would pass nothing on.
      const stream = await alice.events('/events?every=3600000')
      await stream.first('the first event', 30_000, ({ data }) => data === '1')
      stream.close()
    })

    it('stays, with its open WebSockets, when a setting of another service changes', async () => {
      const alice = await signIn(berth.site, 'alice')
      await arrive(alice)
      const [before] = await berth.services('gateway')
      const [spawner] = await berth.services('spawner')
      const socket = await alice.webSocket('/ws')
      await berth.reconfigure({ MAX_WORKSPACES: '49', MAX_QUEUE: '9', SITE_TITLE: 'Another' })
      socket.send('still here')
      assert.equal(await socket.next(), 'still here')
      socket.close()
      const [after] = await berth.services('gateway')
      assert.equal(after?.Id, before?.Id)
      assert.notEqual((await berth.services('spawner'))[0]?.Id, spawner?.Id, 'that one is new')
    })

    it('lets a second spawner of the same instance wait, and take over when the first has ended', async () => {
      const alice = await signIn(berth.site, 'alice')
      await arrive(alice)
      const [first] = await berth.services('spawner')
      assert.ok(first)
      const before = (await workspacesOf(berth.engine, berth.instance)).length
      await berth.compose(
        'up',
        '--detach',
        '--no-build',
        '--no-recreate',
        '--no-deps',
        '--scale',
        'spawner=2',
        'spawner',
      )
      const second = await eventually('there is a second spawner', 60_000, async () =>
        (await berth.services('spawner')).find(({ Id }) => Id !== first.Id),
      )
      await eventually('it says that it waits', 60_000, async () => {
        const words = await run('docker', ['logs', second.Id])
        return /wait/i.test(words)
      })
      assert.equal((await alice.ask('/whoami')).status, 200)
      await run('docker', ['rm', '--force', first.Id])
      const carol = await signIn(berth.site, 'carol')
      await eventually('the second one starts workspaces', 60_000, async () => {
        const answer = await carol.ask('/whoami')
        const status = answer.status
        answer.leave()
        return status === 200
      })
      assert.equal((await workspacesOf(berth.engine, berth.instance)).length, before + 1)
    })
  })
}
