// Proof 18: standby containers are given to the people who arrive, each to one person, and are replaced.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import { send } from '../clients/http.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { killProcess, restarted } from '../deployment/kill.ts'
import { homelessTemplate } from '../deployment/templates.ts'
import { inspected, workspacesOf, type ListedContainer } from '../engine/belongings.ts'
import { watchEngine } from '../engine/history.ts'
import type { OwnEngine } from '../engine/own-engine.ts'
import { eventually } from '../run/deadline.ts'

const standby = 3
const logins = ['ann', 'ben', 'cleo']

/** @param engine the last test restarts it */
export function standbyContainers(engine: () => OwnEngine): void {
  describe('proof 18: standby', () => {
    let own: OwnEngine
    let berth: Deployment
    let people: readonly GatewayLike[]
    /** Ids of the claimed containers, by person. */
    const claimed = new Map<string, string>()

    before(async () => {
      own = engine()
      berth = await deploy({
        name: 'standby',
        engine: own.engine,
        template: homelessTemplate,
        settings: {
          CONTAINER_STANDBY: String(standby),
          CONTAINER_PASS_IDENTITY: 'user',
          RECONCILE_EVERY: '2s',
        },
        reach: (port) => own.reach('127.0.0.1', port),
      })
      await findPeople()
    })
    after(() => berth?.[Symbol.asyncDispose]())

    /** Where the director is; its address may be another after the engine was restarted. */
    async function findPeople(): Promise<void> {
      const [place] = await berth.directorPlaces()
      assert.ok(place && 'host' in place)
      const reached = await own.reach(place.host, place.port)
      people = logins.map((login) => asTheGateway(berth, reached, login))
    }

    async function standbys(): Promise<readonly ListedContainer[]> {
      const all = await workspacesOf(berth.engine, berth.instance)
      return all.filter(({ Names }) => Names[0]?.startsWith(`/${berth.prefix}-standby--`))
    }

    /** Running, without an owner, and known to answer: only such a container is given to a person. */
    async function ready(): Promise<readonly string[]> {
      return eventually(`${standby} stand ready`, 90_000, async () => {
        const ids = (await standbys())
          .filter(({ State }) => State === 'running')
          .map(({ Id }) => Id)
        const all = await workspacesOf(berth.engine, berth.instance)
        return ids.length === standby && (await readyCount()) === all.length && ids
      })
    }

    /** As the spawner counts them in its metrics. */
    async function readyCount(): Promise<number> {
      const [spawner] = await berth.services('spawner')
      const address = spawner?.NetworkSettings.Networks[`${berth.instance}-internal`]?.IPAddress
      const place = await own.reach(address ?? '', 9090)
      const answer = await send({ url: new URL('http://spawner:9090/metrics'), place })
      const line = /^berth_workspaces\{[^}]*phase="ready"[^}]*\} (\d+)$/m.exec(await answer.text())
      return Number(line?.[1])
    }

    async function idOf(login: string): Promise<string> {
      return (await inspected(berth.engine, berth.workspaceName(login))).Id
    }

    it('gives three simultaneous people a standby container each, and creates new ones', async () => {
      const before = await ready()
      await using history = await watchEngine(berth.engine)
      const began = performance.now()
      const answers = await Promise.all(
        people.map(async (person) => {
          const answer = await person.ask('/echo')
          const text = await answer.text()
          assert.equal(answer.status, 200, text)
          const ms = Math.round(performance.now() - began)
          const { headers } = JSON.parse(text) as { headers: [string, string][] }
          const user = headers.find(([name]) => /^x-forwarded-preferred-username$/i.test(name))?.[1]
          assert.equal(user, person.user)
          return { host: String(answer.headers['hello-host']), ms }
        }),
      )
      process.stdout.write(`claims took ${answers.map(({ ms }) => ms).join(', ')} ms\n`)
      assert.equal(new Set(answers.map(({ host }) => host)).size, 3, 'each has one of their own')

      await eventually('each bears its owner’s name', 30_000, async () => {
        for (const login of logins) claimed.set(login, await idOf(login))
        return true
      })
      assert.deepEqual([...claimed.values()].sort(), [...before].sort(), 'those that stood ready')
      const started = history.events.filter(
        (event) => event.action === 'start' && [...claimed.values()].includes(event.id),
      )
      assert.deepEqual(started, [], 'none of them was started for it')

      const after = await ready()
      assert.ok(after.every((id) => !before.includes(id)))
    })

    it('keeps owners and standby containers across kill -9 of the spawner', async () => {
      const waiting = await ready()
      await killProcess(berth, 'spawner')
      await restarted(berth, 'spawner')
      await assertSame()
      assert.deepEqual([...(await ready())].sort(), [...waiting].sort(), 'they are adopted')
    })

    it('keeps owners across a restart of the engine', async () => {
      await own.end('SIGTERM')
      await own.start()
      await berth.reconfigure({})
      await findPeople()
      await assertSame()
      await ready()
      // They still have no owner: another person gets one of them.
      const [place] = await berth.directorPlaces()
      assert.ok(place && 'host' in place)
      const dora = asTheGateway(berth, await own.reach(place.host, place.port), 'dora')
      const answer = await dora.ask('/whoami')
      assert.equal(answer.status, 200)
      const id = await eventually('it bears her name', 30_000, () => idOf('dora'))
      assert.ok(![...claimed.values()].includes(id))
    })

    async function assertSame(): Promise<void> {
      for (const person of people) {
        const answer = await person.ask('/whoami')
        const text = await answer.text()
        assert.equal(answer.status, 200, `${person.user}: ${text}`)
        assert.equal(
          await idOf(person.user),
          claimed.get(person.user),
          `${person.user} has the same`,
        )
      }
    }
  })
}
