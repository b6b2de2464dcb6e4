// Proof 5: after any crash there are no duplicates and nothing incomplete, and people are served again.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { arrive, hostnameOf } from '../clients/arrival.ts'
import { signIn } from '../clients/people.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { killProcess, restarted } from '../deployment/kill.ts'
import { inspected, workspaceNetworksOf, workspacesOf } from '../engine/belongings.ts'
import { isOfWorkspace, watchEngine, type EngineEvent } from '../engine/history.ts'
import { eventually } from '../run/deadline.ts'

const logins = ['dave', 'erin', 'finn', 'gus', 'hal']

describe('proof 5: recovery', () => {
  let berth: Deployment
  before(async () => {
    berth = await deploy({
      name: 'heal',
      settings: {
        IDP_PEOPLE: logins.join(','),
        RECONCILE_EVERY: '2s',
        NETWORK_SPARES: '1',
        // Short leases: the address of a removed workspace is reused only after one lease.
        CONTAINER_IDLE_STOP: '60s',
      },
    })
  })
  after(() => berth[Symbol.asyncDispose]())

  it('completes the starts that kill -9 of the spawner interrupted', async () => {
    await using history = await watchEngine(berth.engine)
    const people = await Promise.all(logins.map((login) => signIn(berth.site, login)))
    const asking = Promise.all(people.map((person) => person.navigate('/')))
    await history.first('a first container is made', 60_000, isMade(berth))
    await killProcess(berth, 'spawner')
    for (const answer of await asking) answer.leave()
    await restarted(berth, 'spawner')

    const names = await Promise.all(people.map(hostnameOf))
    assert.deepEqual(
      names,
      logins.map((login) => berth.workspaceName(login)),
    )
    await assertWhole(berth, logins.length)
    const made = history.events.filter(isMade(berth)).map(({ name }) => name)
    const half = made.length - new Set(made).size
    assert.ok(half <= 2, `${half} were made again; at most MAX_STARTING were under way`)
  })

  it('forwards to running workspaces while the spawner is down, even after a restart of the director', async () => {
    const [dave, alice] = await Promise.all([
      signIn(berth.site, 'dave'),
      signIn(berth.site, 'alice'),
    ])
    assert.equal(await hostnameOf(dave), berth.workspaceName('dave'))
    const [spawner] = await berth.services('spawner')
    assert.ok(spawner)
    await berth.engine.post(`/containers/${spawner.Id}/kill`)
    try {
      assert.equal((await dave.ask('/whoami')).status, 200)
      // Without a spawner the director does not become ready, but it forwards.
      await killProcess(berth, 'director')
      const answer = await eventually('the restarted director forwards', 60_000, async () => {
        const again = await dave.ask('/whoami')
        return again.status === 200 ? again : undefined
      })
      const { hostname } = await answer.json<{ hostname: string }>()
      assert.equal(hostname, berth.workspaceName('dave'))
      await expectProblem(await alice.ask('/whoami'), 503, 'spawner_unreachable')
      const page = await alice.navigate('/')
      assert.equal(page.status, 503)
      assert.match(page.headers['content-type'] ?? '', /^text\/html/)
      assert.match(await page.text(), /<h1/)
    } finally {
      await berth.engine.post(`/containers/${spawner.Id}/start`)
    }
    await restarted(berth, 'spawner')
    await restarted(berth, 'director')
    assert.equal(await hostnameOf(alice), berth.workspaceName('alice'))
  })

  it('serves people again after kill -9 of the director with open WebSockets', async () => {
    await using history = await watchEngine(berth.engine)
    const people = await Promise.all(['dave', 'erin'].map((login) => signIn(berth.site, login)))
    await Promise.all(people.map((person) => arrive(person)))
    const sockets = await Promise.all(people.map((person) => person.webSocket('/ws')))
    for (const socket of sockets) {
      socket.send('before')
      assert.equal(await socket.next(), 'before')
    }
    await killProcess(berth, 'director')
    await Promise.all(sockets.map(({ ended }) => ended))
    await restarted(berth, 'director')
    for (const person of people) {
      const again = await eventually('a WebSocket opens again', 30_000, () =>
        person.webSocket('/ws'),
      )
      again.send('after')
      assert.equal(await again.next(), 'after')
      again.close()
    }
    const ours = isOfWorkspace(berth)
    const died = history.events.find(
      (event) =>
        ours(event) &&
        event.action === 'die' &&
        people.some(({ login }) => event.name === berth.workspaceName(login)),
    )
    assert.equal(died, undefined, 'no workspace ended with the director')
  })

  it('ends WebSockets with 1012 when a director is asked to stop', async () => {
    const dave = await signIn(berth.site, 'dave')
    await arrive(dave)
    const socket = await dave.webSocket('/ws')
    const stopping = berth.compose('restart', 'director')
    assert.equal((await socket.ended).code, 1012)
    await stopping
    await berth.reconfigure({})
    assert.equal(await hostnameOf(dave), berth.workspaceName('dave'))
  })

  it('finds running and stopped workspaces after docker compose down and up', async () => {
    const [dave, erin] = await Promise.all([signIn(berth.site, 'dave'), signIn(berth.site, 'erin')])
    await Promise.all([arrive(dave), arrive(erin)])
    await (await dave.ask('/files/kept', { method: 'PUT', body: 'mine' })).text()
    await (await erin.ask('/exit')).text()
    await eventually('the workspace of erin has ended', 30_000, async () => {
      const { State } = await inspected(berth.engine, berth.workspaceName('erin'))
      return !State.Running
    })
    const before = await inspected(berth.engine, berth.workspaceName('dave'))
    const count = (await workspacesOf(berth.engine, berth.instance)).length

    await berth.compose('down')
    const meanwhile = await inspected(berth.engine, berth.workspaceName('dave'))
    assert.equal(meanwhile.State.Running, true, 'running workspaces continue')
    await berth.reconfigure({})

    const [again, other] = await Promise.all([
      signIn(berth.site, 'dave'),
      signIn(berth.site, 'erin'),
    ])
    assert.equal(await (await again.ask('/files/kept')).text(), 'mine')
    const { Id } = await inspected(berth.engine, berth.workspaceName('dave'))
    assert.equal(Id, before.Id, 'the very same container')
    assert.equal(await hostnameOf(other), berth.workspaceName('erin'))
    assert.equal((await workspacesOf(berth.engine, berth.instance)).length, count)
    await assertWhole(berth, count)
  })
})

function isMade(berth: Deployment): (event: EngineEvent) => boolean {
  const ours = isOfWorkspace(berth)
  return (event) => ours(event) && event.action === 'create'
}

/** Each person has one container on a network of its own, and there are no other networks except spares. */
async function assertWhole(berth: Deployment, count: number): Promise<void> {
  await eventually('nothing is incomplete', 60_000, async () => {
    const workspaces = await workspacesOf(berth.engine, berth.instance)
    const networks = await workspaceNetworksOf(berth.engine, berth.instance)
    const names = new Set(workspaces.map(({ Names }) => Names[0]))
    const states = workspaces.map(({ State }) => State)
    assert.ok(
      states.every((state) => state === 'running' || state === 'exited'),
      states.join(),
    )
    assert.equal(workspaces.length, count)
    assert.equal(names.size, count)
    const ours = networks.map(({ Name }) => Name).join()
    assert.ok(networks.length >= count && networks.length <= count + 1, ours)
    return true
  })
}
