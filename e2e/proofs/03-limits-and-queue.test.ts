// Proof 3: the limits hold at every moment, and people who wait are served in the order of their requests.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { statusOf, type EventStream } from '../clients/event-stream.ts'
import { signIn, type Person } from '../clients/people.ts'
import { expectProblem } from '../clients/problems.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { workspacesOf } from '../engine/belongings.ts'
import {
  assertMadeInOrder,
  isOfWorkspace,
  mostAtOnce,
  watchEngine,
  type EngineEvent,
} from '../engine/history.ts'
import { readyAt } from '../engine/readiness.ts'
import { eventually } from '../run/deadline.ts'

const count = 30
const logins = Array.from({ length: count }, (_, n) => `p${String(n + 1).padStart(2, '0')}`)

describe('proof 3: limits and the queue', () => {
  let berth: Deployment
  before(async () => {
    berth = await deploy({
      name: 'queue',
      settings: {
        IDP_PEOPLE: logins.join(','),
        MAX_WORKSPACES: '3',
        MAX_STARTING: '2',
        CONTAINER_ENV_HELLO_START_DELAY: '700',
        CONTAINER_STOP_TIMEOUT: '2s',
        LOADING_PAGE_AFTER: '50ms',
      },
    })
  })
  after(() => berth[Symbol.asyncDispose]())

  it('serves 30 people under MAX_WORKSPACES=3 and MAX_STARTING=2, in the order of their requests, with decreasing queue positions', async () => {
    const people = await Promise.all(logins.map((login) => signIn(berth.site, login)))
    await using history = await watchEngine(berth.engine)

    // The people with a place keep it until all have made their request, so that the order of the requests is the order of the queue.
    const streams: EventStream[] = []
    for (const person of people) {
      const answer = await person.navigate('/')
      assert.equal(answer.status, 503, `${person.login} is shown a page`)
      answer.leave()
      streams.push(await person.events())
    }
    const last = await people.at(-1)?.fetch('/.berth/status')
    const shown = await last?.json<{ phase: string; position?: number }>()
    assert.equal(shown?.phase, 'queued')
    assert.ok((shown?.position ?? 0) > 20, `the last in the queue is at ${shown?.position}`)

    await Promise.all(
      people.map(async (person, n) => {
        const stream = streams[n]
        assert.ok(stream)
        await stream.first(
          `${person.login} is ready`,
          240_000,
          (event) => event.event === 'phase' && statusOf(event).phase === 'ready',
        )
        await leave(person)
      }),
    )
    for (const stream of streams) stream.close()

    await eventually('every workspace has stopped', 60_000, async () => {
      const all = await workspacesOf(berth.engine, berth.instance)
      return all.length === count && all.every(({ State }) => State === 'exited')
    })
    assertLimits(history.events.filter(isOfWorkspace(berth)), await readinessOfAll(berth))
    const asked = logins.map((login) => berth.workspaceName(login))
    assertMadeInOrder(history.events.filter(isOfWorkspace(berth)), asked, 2)
    for (const stream of streams) assertFalling(stream)
  })

  it('removes a person from the queue who cancels or leaves', async () => {
    const [one, two, three, four, five] = await Promise.all(
      logins.slice(0, 5).map((login) => signIn(berth.site, login)),
    )
    assert.ok(one && two && three && four && five)
    const held = await Promise.all([one, two, three].map((person) => person.ask('/whoami')))
    for (const answer of held) assert.equal(answer.status, 200)
    for (const person of [four, five]) (await person.navigate('/')).leave()
    await using streams = collect(await four.events(), await five.events())
    await streams.second.first('the fifth is second in the queue', 30_000, (event) =>
      isQueuedAt(event.data, 2),
    )
    const pressed = await four.press('cancel')
    assert.ok([200, 204, 303].includes(pressed.status), `cancel is answered ${pressed.status}`)
    await streams.second.first('the fifth moves up', 30_000, (event) => isQueuedAt(event.data, 1))
    await leave(one)
    await streams.second.first('the fifth is ready', 60_000, (event) =>
      event.data.includes('"ready"'),
    )
    const state = await (await four.fetch('/.berth/status')).json<{ phase: string }>()
    assert.notEqual(state.phase, 'queued')
    await Promise.all([two, three, five].map(leave))
  })

  it('refuses with queue_full when MAX_QUEUE people wait already', async () => {
    await berth.reconfigure({ MAX_WORKSPACES: '1', MAX_QUEUE: '1' }, 'spawner')
    const [one, two, three] = await Promise.all(
      logins.slice(10, 13).map((login) => signIn(berth.site, login)),
    )
    assert.ok(one && two && three)
    assert.equal((await one.ask('/whoami')).status, 200)
    ;(await two.navigate('/')).leave()
    const waiting = await two.events()
    try {
      const problem = await expectProblem(await three.ask('/whoami'), 503, 'queue_full')
      assert.match(problem.detail, /\w+ \w+/)
      const page = await three.navigate('/')
      assert.equal(page.status, 503)
      assert.match(await page.text(), /<html/i)
    } finally {
      waiting.close()
    }
  })
})

/** Ends the container from within, as a person who shuts their application down. */
async function leave(person: Person): Promise<void> {
  const answer = await person.ask('/exit')
  assert.equal(answer.status, 200)
  await answer.text()
}

function isQueuedAt(data: string, position: number): boolean {
  const status = JSON.parse(data) as { phase?: string; position?: number }
  return status.phase === 'queued' && status.position === position
}

function collect(first: EventStream, second: EventStream) {
  return {
    first,
    second,
    async [Symbol.asyncDispose]() {
      first.close()
      second.close()
    },
  }
}

async function readinessOfAll(berth: Deployment): Promise<Map<string, number>> {
  const all = await workspacesOf(berth.engine, berth.instance)
  const times = all.map(async ({ Id }): Promise<[string, number]> => [
    Id,
    await readyAt(berth.engine, Id),
  ])
  return new Map(await Promise.all(times))
}

/** A container exists only while the spawner counts it as a place, and becomes ready only while it is counted as starting. */
function assertLimits(events: readonly EngineEvent[], ready: ReadonlyMap<string, number>): void {
  const made = events.filter(({ action }) => action === 'create')
  assert.equal(made.length, count, 'one container for each')
  const lives = made.map(({ id, at }) => {
    const died = events.find((event) => event.id === id && event.action === 'die')
    return { from: at, to: died?.at ?? Number.POSITIVE_INFINITY }
  })
  const starts = made.map(({ id, at }) => ({ from: at, to: ready.get(id) ?? at }))
  assert.ok(mostAtOnce(lives) <= 3, `${mostAtOnce(lives)} workspaces at once`)
  assert.ok(mostAtOnce(starts) <= 2, `${mostAtOnce(starts)} starting at once`)
  assert.equal(mostAtOnce(lives), 3, 'the places were all used')
}

function assertFalling(stream: EventStream): void {
  const positions = stream.events
    .filter(({ event }) => event === 'phase')
    .map((event) => statusOf(event).position)
    .filter((position) => position !== undefined)
  for (const [n, position] of positions.entries()) {
    const before = positions[n - 1] ?? position
    assert.ok(position <= before, `positions rose: ${positions.join(', ')}`)
  }
}
