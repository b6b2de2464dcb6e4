// Proof 5, the engine, and proof 9, a stopped engine: one of the test's own is killed and restarted under a whole deployment.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { arrive, hostnameOf } from '../clients/arrival.ts'
import { createPerson, signIn, type Person } from '../clients/people.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { chooseGateway } from '../deployment/gateway.ts'
import { inspected, workspacesOf } from '../engine/belongings.ts'
import { createOwnEngine, type OwnEngine } from '../engine/own-engine.ts'
import { eventually } from '../run/deadline.ts'
import { surroundings } from '../run/surroundings.ts'

describe('proof 5: restart of the engine', () => {
  let own: OwnEngine
  let berth: Deployment
  let alice: Person
  let bob: Person
  before(async () => {
    const gateway = await chooseGateway()
    own = await createOwnEngine('enginehost')
    await own.load([
      'berth/director',
      'berth/spawner',
      'berth/idp',
      'berth/hello',
      gateway === 'apache' ? 'berth/apache-gateway' : surroundings.gatewayImage,
    ])
    berth = await deploy({
      name: 'engine',
      engine: own.engine,
      settings: { RECONCILE_EVERY: '2s' },
      reach: (port) => own.reach('127.0.0.1', port),
    })
  })
  after(async () => {
    await berth?.[Symbol.asyncDispose]()
    await own?.[Symbol.asyncDispose]()
  })

  it('tells engine_unreachable while the engine is gone, and running workspaces go on', async () => {
    alice = await signIn(berth.site, 'alice')
    bob = await signIn(berth.site, 'bob')
    await arrive(alice)
    await (await alice.ask('/files/kept', { method: 'PUT', body: 'kept' })).text()
    // What the engine publishes for 127.0.0.1 goes with it; its containers and their addresses do not.
    const front = await frontOf(berth)
    const gateway = await own.reach(front.gateway, 4180)
    const director = await own.reach(front.director, 8080)
    await own.end('SIGKILL')

    const answer = await asTheGateway(berth, director, 'alice').ask('/files/kept')
    assert.equal(await answer.text(), 'kept')
    const through = createPerson({ ...berth.site, placeOf: () => gateway }, 'bob', bob.jar)
    await expectProblem(await through.ask('/whoami'), 503, 'engine_unreachable')
    const page = await through.navigate('/')
    assert.ok(page.status === 503 || page.status === 502, `${page.status}`)
    assert.match(await page.text(), /<h1/)
  })

  it('serves everybody again once the engine is back: nothing is doubled, files are there', async () => {
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

  it('finds all again after an orderly restart of the engine', async () => {
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

async function frontOf(berth: Deployment): Promise<{ gateway: string; director: string }> {
  const [[gateway], [director]] = await Promise.all([
    berth.services('gateway'),
    berth.services('director'),
  ])
  const network = `${berth.instance}-front`
  return {
    gateway: gateway?.NetworkSettings.Networks[network]?.IPAddress ?? '',
    director: director?.NetworkSettings.Networks[network]?.IPAddress ?? '',
  }
}
