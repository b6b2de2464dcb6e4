// Proof 5, the engine, and proof 9, a stopped engine: it is killed and restarted under a whole deployment.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { arrive, hostnameOf } from '../clients/arrival.ts'
import { navigation, signIn, type Person } from '../clients/people.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected, workspacesOf } from '../engine/belongings.ts'
import type { OwnEngine } from '../engine/own-engine.ts'
import { eventually } from '../run/deadline.ts'

export function restartOfTheEngine(engine: () => OwnEngine): void {
  describe('proof 5: restart of the engine', () => {
    let own: OwnEngine
    let berth: Deployment
    let alice: Person
    let bob: Person
    before(async () => {
      own = engine()
      berth = await deploy({
        name: 'engine',
        engine: own.engine,
        settings: { RECONCILE_EVERY: '2s' },
        reach: (port) => own.reach('127.0.0.1', port),
      })
    })
    after(() => berth?.[Symbol.asyncDispose]())

    it('answers engine_unreachable while the engine is down, and running workspaces continue', async () => {
      alice = await signIn(berth.site, 'alice')
      bob = await signIn(berth.site, 'bob')
      await arrive(alice)
      await (await alice.ask('/files/kept', { method: 'PUT', body: 'kept' })).text()
      // The published ports and the DNS end with the engine, so the gateway cannot reach a director. The director still
      // runs, and so do the workspaces that it has leases for.
      const director = await own.reach(await addressOfDirector(berth), 8080)
      await own.end('SIGKILL')

      const answer = await asTheGateway(berth, director, 'alice').ask('/files/kept')
      assert.equal(await answer.text(), 'kept')
      const asBob = asTheGateway(berth, director, 'bob')
      await expectProblem(await asBob.ask('/whoami'), 503, 'engine_unreachable')
      const page = await asBob.ask('/', { headers: navigation })
      assert.ok(page.status === 503 || page.status === 502, `${page.status}`)
      assert.match(await page.text(), /<h1/)
    })

    it('serves people again once the engine is back, with one container each and their files', async () => {
      await own.start()
      await berth.reconfigure({})
      const pressed = await eventually('the button works', 30_000, async () => {
        const answer = await bob.press('start')
        answer.leave()
        return answer.status < 400 ? answer : undefined
      })
      assert.ok(pressed.status < 400)
      assert.equal(await hostnameOf(bob), berth.workspaceName('bob'))
      assert.equal(await hostnameOf(alice), berth.workspaceName('alice'))
      assert.equal(await (await alice.ask('/files/kept')).text(), 'kept')
      assert.equal((await workspacesOf(berth.engine, berth.instance)).length, 2)
    })

    it('finds all workspaces after an orderly restart of the engine', async () => {
      const before = await inspected(berth.engine, berth.workspaceName('alice'))
      await own.end('SIGTERM')
      await own.start()
      await berth.reconfigure({})
      assert.equal(await (await alice.ask('/files/kept')).text(), 'kept')
      assert.equal(await hostnameOf(bob), berth.workspaceName('bob'))
      const { Id } = await inspected(berth.engine, berth.workspaceName('alice'))
      assert.equal(Id, before.Id, 'the same container, started again')
      assert.equal((await workspacesOf(berth.engine, berth.instance)).length, 2)
    })
  })
}

async function addressOfDirector(berth: Deployment): Promise<string> {
  const [director] = await berth.services('director')
  return director?.NetworkSettings.Networks[`${berth.instance}-front`]?.IPAddress ?? ''
}
