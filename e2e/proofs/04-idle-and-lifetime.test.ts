// Proof 4: a workspace in use stays, the spawner stops and removes an idle workspace, and the home outlives the container.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { arrive } from '../clients/arrival.ts'
import { statusOf } from '../clients/event-stream.ts'
import { signIn, type Person } from '../clients/people.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected, volumesOf } from '../engine/belongings.ts'
import { watchEngine, type EngineEvent, type EngineHistory } from '../engine/history.ts'
import { letPass } from '../run/deadline.ts'

const idleStopMs = 6_000
/** Lease, the spawner's margin, the report's interval, and the engine's own time, however busy the machine is. */
const slackMs = 30_000

describe('proof 4: idle and lifetime', () => {
  let berth: Deployment
  before(async () => {
    berth = await deploy({
      name: 'idle',
      settings: {
        IDP_PEOPLE: 'dora,emil,fred,gina,hugo,ida',
        CONTAINER_IDLE_STOP: `${idleStopMs}ms`,
        CONTAINER_CONNECTION_IDLE: '1s',
        CONTAINER_BACKGROUND_REQUESTS: 'GET /count/poll',
      },
    })
  })
  after(() => berth[Symbol.asyncDispose]())

  const endOf = (history: EngineHistory, user: string, withinMs: number) =>
    history.first(`the container of ${user} stops`, withinMs, isOf(berth, user, 'die'))

  // One person for each, so that they go on beside each other.
  describe('a container', { concurrency: 10 }, () => {
    it('stops a container only when its last use is older than the limit', async () => {
      await using history = await watchEngine(berth.engine)
      const alice = await signIn(berth.site, 'alice')
      await use(alice)
      let lastUse = Date.now()
      const until = lastUse + idleStopMs * 2
      while (Date.now() < until) {
        await letPass(500)
        lastUse = Date.now()
        await use(alice)
      }
      assert.equal(history.events.find(isOf(berth, 'alice', 'die')), undefined, 'in use, it stays')
      const end = await endOf(history, 'alice', idleStopMs + slackMs)
      assert.ok(end.at - lastUse >= idleStopMs, `stopped ${end.at - lastUse} ms after its use`)
    })

    it('does not stay for background requests of a page, and they do not start it', async () => {
      await using history = await watchEngine(berth.engine)
      const bob = await signIn(berth.site, 'bob')
      await use(bob)
      const codes = new Set<string>()
      const ended = new AbortController()
      const polling = poll(bob, ended.signal, codes)
      await endOf(history, 'bob', idleStopMs + slackMs)
      const before = history.events.length
      await letPass(3_000)
      ended.abort()
      await polling
      const woken = history.events.slice(before).find(isOf(berth, 'bob', 'start'))
      assert.equal(woken, undefined, 'polling wakes nothing')
      assert.ok(codes.has('workspace_idle') || codes.has('workspace_stopped'), [...codes].join())

      await expectProblem(await bob.fetch('/whoami'), 503, 'workspace_stopped')
      await expectProblem(await bob.fetch('/count/poll'), 503, 'workspace_idle')
      const started = history.events.slice(before).find(isOf(berth, 'bob', 'start'))
      assert.equal(started, undefined, 'nor does anything else that a page asks for by itself')
    })

    it('does not stay for a WebSocket that carries only pings', async () => {
      await using history = await watchEngine(berth.engine)
      const carol = await signIn(berth.site, 'carol')
      await use(carol)
      const pinged = await carol.webSocket('/ws?ping=200')
      const pinging = setInterval(() => pinged.socket.ping(), 300)
      let heard = 0
      pinged.socket.on('ping', () => (heard += 1))
      await endOf(history, 'carol', idleStopMs + slackMs)
      clearInterval(pinging)
      assert.ok(heard > 5, `${heard} pings came through`)
      await pinged.ended
    })

    it('stays while the client sends data frames on a WebSocket', async () => {
      await using history = await watchEngine(berth.engine)
      const gina = await signIn(berth.site, 'gina')
      await use(gina)
      const socket = await gina.webSocket('/ws')
      const until = Date.now() + idleStopMs * 2
      while (Date.now() < until) {
        socket.send('here')
        assert.equal(await socket.next(), 'here')
        await letPass(500)
      }
      assert.equal(history.events.find(isOf(berth, 'gina', 'die')), undefined)
      socket.close()
      await endOf(history, 'gina', idleStopMs + slackMs)
    })

    it('stays during a download and a response that take longer than the limit', async () => {
      await using history = await watchEngine(berth.engine)
      const [dora, emil] = await Promise.all([
        signIn(berth.site, 'dora'),
        signIn(berth.site, 'emil'),
      ])
      await Promise.all([use(dora), use(emil)])
      const length = 6_000_000
      const download = async (): Promise<void> => {
        const answer = await dora.ask(`/bytes?n=${length}&rate=400000`)
        assert.equal((await answer.bytes()).length, length)
      }
      const slow = async (): Promise<void> => {
        const answer = await emil.ask('/slow?ms=15000')
        assert.equal(await answer.text(), 'at last\n')
      }
      await Promise.all([download(), slow()])
      for (const user of ['dora', 'emil'])
        assert.equal(history.events.find(isOf(berth, user, 'die')), undefined, user)
      await Promise.all([
        endOf(history, 'dora', idleStopMs + slackMs),
        endOf(history, 'emil', idleStopMs + slackMs),
      ])
    })

    it('does not stay for a download that the client no longer reads', async () => {
      await using history = await watchEngine(berth.engine)
      const hugo = await signIn(berth.site, 'hugo')
      await use(hugo)
      const answer = await hugo.ask('/bytes?n=2000000000')
      answer.stream.pause()
      await endOf(history, 'hugo', idleStopMs + slackMs)
      answer.leave()
    })

    it('starts again with the next navigation, with the files of the home', async () => {
      await using history = await watchEngine(berth.engine)
      const fred = await signIn(berth.site, 'fred')
      await arrive(fred)
      const saved = await fred.ask('/files/note', { method: 'PUT', body: 'still here' })
      assert.equal(saved.status, 201)
      await endOf(history, 'fred', idleStopMs + slackMs)
      const page = await arrive(fred)
      assert.equal(page.status, 200)
      assert.equal(await (await fred.ask('/files/note')).text(), 'still here')
    })
  })

  it('removes an idle container, but not the home', async () => {
    await berth.reconfigure({ CONTAINER_IDLE_STOP: '2s', CONTAINER_IDLE_REMOVE: '8s' }, 'spawner')
    await using history = await watchEngine(berth.engine)
    const fred = await signIn(berth.site, 'fred')
    assert.equal(await (await fred.ask('/files/note')).text(), 'still here')
    const before = (await inspected(berth.engine, berth.workspaceName('fred'))).Id
    await history.first('it is removed', 60_000, isOf(berth, 'fred', 'destroy'))
    const homes = await volumesOf(berth.engine, berth.instance)
    assert.ok(homes.some(({ Labels }) => Labels?.['berth.user'] === 'fred'))
    assert.equal(await (await fred.ask('/files/note')).text(), 'still here')
    assert.notEqual((await inspected(berth.engine, berth.workspaceName('fred'))).Id, before)
  })

  it('ends at its maximum lifetime even in use, with a page that says so and starts nothing by itself', async () => {
    await berth.reconfigure(
      { CONTAINER_IDLE_STOP: '1h', CONTAINER_IDLE_REMOVE: '24h', CONTAINER_MAX_LIFETIME: '12s' },
      'spawner',
    )
    await using history = await watchEngine(berth.engine)
    const ida = await signIn(berth.site, 'ida')
    await arrive(ida)
    const stream = await ida.events()
    const socket = await ida.webSocket('/ws?push=500')
    const { endsAt } = statusOf(
      await stream.first('a first status', 30_000, ({ event }) => event === 'phase'),
    )
    assert.ok(endsAt, 'the status tells when it ends')
    await stream.first('the end is announced', 30_000, ({ event }) => event === 'end')
    const began = history.events.find(isOf(berth, 'ida', 'start'))
    const end = await endOf(history, 'ida', 12_000 + slackMs)
    const lived = end.at - (began?.at ?? 0)
    assert.ok(lived >= 11_900 && lived < 12_000 + slackMs, `it lived ${lived} ms`)
    await socket.ended
    await stream.first('she is told', 30_000, (event) => {
      return event.event === 'phase' && statusOf(event).phase === 'stopped'
    })
    stream.close()

    const page = await ida.navigate('/')
    const html = await page.text()
    assert.equal(page.status, 503)
    assert.equal(page.headers['berth-phase'], 'stopped')
    assert.match(html, /action="\/\.berth\/start"/)
    const starts = history.events.filter(isOf(berth, 'ida', 'start'))
    assert.equal(starts.length, 1, 'the page starts nothing')
    const pressed = await ida.press('start')
    assert.ok(pressed.status < 400, `start is answered ${pressed.status}`)
    assert.equal((await arrive(ida)).status, 200)
  })
})

function isOf(berth: Deployment, user: string, action: string): (event: EngineEvent) => boolean {
  const name = berth.workspaceName(user)
  return (event) => event.type === 'container' && event.name === name && event.action === action
}

async function use(person: Person): Promise<void> {
  const answer = await person.ask('/whoami')
  assert.equal(answer.status, 200, await answer.text())
}

async function poll(person: Person, signal: AbortSignal, codes: Set<string>): Promise<void> {
  while (!signal.aborted) {
    const answer = await person.fetch('/count/poll')
    const { code } = await answer.json<{ code?: string }>()
    if (code !== undefined) codes.add(code)
    await letPass(300)
  }
}
