// Proof 32: one id for a request in every log, one JSON object for each line of a service, and no secret in any line.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { before, describe, it } from 'node:test'
import { createApi } from '../clients/api.ts'
import { arrive } from '../clients/arrival.ts'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { createCookieJar } from '../clients/cookie-jar.ts'
import { send } from '../clients/http.ts'
import { createPerson, navigation, signIn } from '../clients/people.ts'
import { chooseGateway } from '../deployment/gateway.ts'
import type { Deployment } from '../deployment/deployment.ts'
import { plant, secretsIn } from '../deployment/planted-secrets.ts'
import { eventually } from '../run/deadline.ts'

type Line = Readonly<Record<string, unknown>>
interface Echo {
  readonly headers: readonly (readonly [string, string])[]
}

/** A secret of this run, searched for in every log at the end. */
export function secret(what: string): string {
  const value = `planted-${randomBytes(12).toString('hex')}`
  plant(what, value)
  return value
}

/** @param deployment with `LOG_LEVEL=trace`, the portal, API_TOKEN, and the templates `vault` and `broken` */
export function theLogs(deployment: () => Deployment): void {
  describe('proof 32: the logs', () => {
    let berth: Deployment
    before(() => {
      berth = deployment()
    })

    const linesOf = async (role: 'director' | 'spawner'): Promise<Line[]> =>
      (await berth.logs(role, 'all'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Line)
    const about = async (role: 'director' | 'spawner', id: string): Promise<unknown[]> =>
      (await linesOf(role)).filter(({ requestId }) => requestId === id).map((line) => line.message)
    const echoed = ({ headers }: Echo): string[] =>
      headers.filter(([name]) => name.toLowerCase() === 'x-request-id').map(([, value]) => value)

    it('have the id that the gateway gave, from the request that starts a workspace to its readiness', async () => {
      const [place] = await berth.directorPlaces()
      assert.ok(place)
      const ann = asTheGateway(berth, place, 'ann')
      const headers = { 'x-request-id': 'edge-4711' }
      const answer = await ann.ask('/echo', { headers })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers['x-request-id'], 'edge-4711')
      assert.deepEqual(echoed(await answer.json<Echo>()), ['edge-4711'])
      await eventually('both services have logged it', 10_000, async () => {
        const ofDirector = await about('director', 'edge-4711')
        const ofSpawner = await about('spawner', 'edge-4711')
        return (
          ofDirector.includes('request ended') &&
          ['seat requested', 'workspace pulling', 'workspace ready'].every((message) =>
            ofSpawner.includes(message),
          )
        )
      })
    })

    it('have another id than the one that a client sends through the gateway', async () => {
      const alice = await signIn(berth.site, 'alice')
      const answer = await arrive(alice, '/echo')
      answer.leave()
      const chosen = await alice.ask('/echo', { headers: { 'x-request-id': 'of-the-client' } })
      const id = String(chosen.headers['x-request-id'])
      assert.notEqual(id, 'of-the-client')
      assert.deepEqual(echoed(await chosen.json<Echo>()), [id])
      await eventually('it is logged', 10_000, async () =>
        (await about('director', id)).includes('request ended'),
      )
      const gateway = await berth.logs('gateway', 'all')
      if ((await chooseGateway()) === 'apache') assert.ok(gateway.includes(`id=${id}`))
    })

    it('have the id of a request for one of Berth’s own paths, for the portal, and for a script', async () => {
      const alice = await signIn(berth.site, 'alice')
      const status = await alice.fetch('/.berth/status')
      assert.match(String(status.headers['x-request-id']), /^[\w@-]{20,}$/)
      status.leave()
      const api = await createApi(berth)
      const answer = await api.call('POST', '/api/v1/workspaces/none/stop')
      assert.equal(answer.status, 404)
      assert.match(String(answer.headers['x-request-id']), /^[0-9a-f-]{36}$/)
      answer.leave()
      const name = berth.workspaceName('alice')
      const stopped = await api.call('POST', `/api/v1/workspaces/${name}/stop`)
      stopped.leave()
      const id = String(stopped.headers['x-request-id'])
      await eventually('the end is logged with it', 30_000, async () =>
        (await about('spawner', id)).includes('workspace stopped'),
      )
    })

    it('have no session, bearer, code of a sign-in, token of a URL or secret of a template', async () => {
      const { origin } = berth.site
      const token = secret('token in a query')
      const bearer = secret('bearer')
      const authorization = `Bearer ${bearer}`
      // A sign-in plants its session and its code.
      const bob = await signIn(berth.site, 'bob')
      for (const path of [`/echo?token=${token}`, `/.berth/?to=%2F%3Ftoken%3D${token}`]) {
        const answer = await bob.navigate(path, { headers: { authorization } })
        answer.leave()
      }
      await arrive(bob, `/echo?token=${token}`).then((answer) => answer.leave())
      const socket = await bob.webSocket(`/ws?token=${token}`, { authorization })
      socket.close()
      const reset = await bob.ask(`/reset?when=before&token=${token}`)
      assert.equal(reset.status, 502)
      reset.leave()
      const stranger = createPerson(berth.site, 'nobody', createCookieJar())
      for (const path of [`/oauth2/callback?code=${token}&state=x:y`, `/lab?token=${token}`]) {
        const answer = await stranger.navigate(path, {
          headers: { authorization, cookie: `_oauth2_proxy=${token}` },
        })
        answer.leave()
      }
      const vault = await signIn(berth.siteAt('vault.localhost'), 'carol')
      const opened = await arrive(vault, '/env')
      assert.match(await opened.text(), /DATABASE_PASSWORD/)
      const broken = await signIn(berth.siteAt('broken.localhost'), 'carol')
      const failed = await eventually('the start has failed', 60_000, async () => {
        const answer = await broken.navigate(`/?token=${token}`)
        if (answer.status === 502) return answer.text()
        answer.leave()
        return false
      })
      assert.match(failed, /planted-/, 'the last lines of the container are for its owner alone')
      await askScripts(bearer, token)
      const portal = await signIn(berth.siteAt('portal.localhost'), 'bob')
      const page = await portal.navigate(`/?token=${token}`)
      assert.equal(page.status, 200, origin)
      page.leave()

      for (const role of ['gateway', 'director', 'spawner', 'idp'] as const) {
        const text = await eventually(`${role} has logged`, 10_000, () => berth.logs(role, 'all'))
        assert.deepEqual(secretsIn(text), [], role)
      }
    })

    async function askScripts(bearer: string, token: string): Promise<void> {
      const place = await berth.apiPlace()
      for (const [authorization, status] of [
        [`Bearer ${bearer}`, 401],
        [`Bearer ${berth.settings['API_TOKEN'] ?? ''}`, 400],
      ] as const) {
        const url = new URL(`/api/v1/workspaces?token=${token}`, 'http://spawner:8082')
        const answer = await send({ url, place, headers: { ...navigation, authorization } })
        assert.equal(answer.status, status)
        answer.leave()
      }
    }

    it('are one JSON object a line, with a time, a level, the service and what happened', async () => {
      for (const role of ['director', 'spawner'] as const) {
        const lines = await linesOf(role)
        assert.ok(lines.length > 10, role)
        for (const line of lines) {
          assert.equal(line['service'], role, JSON.stringify(line))
          assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
          assert.match(String(line['level']), /^(debug|info|warn|error|fatal)$/)
          assert.ok(String(line['message']).length > 3)
        }
      }
    })

    it('have fewer lines at another LOG_LEVEL', async () => {
      await berth.reconfigure({ LOG_LEVEL: 'warn' }, 'director', 'spawner')
      const alice = await signIn(berth.site, 'alice')
      await arrive(alice, '/whoami').then((answer) => answer.leave())
      for (const role of ['director', 'spawner'] as const)
        for (const { level } of await linesOf(role)) assert.match(String(level), /^(warn|error)$/)
    })
  })
}
