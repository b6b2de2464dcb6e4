// Proof 17: an unused workspace freezes unnoticed: a request at that very moment is served exactly once.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway, type GatewayLike } from '../clients/as-the-gateway.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected } from '../engine/belongings.ts'
import { watchEngine, type EngineEvent, type EngineHistory } from '../engine/history.ts'
import { eventually, letPass } from '../run/deadline.ts'

const freezeMs = 2_000
/** The lease, the spawner's margin and the time of the engine, even on a busy machine. */
const slackMs = 30_000
const logins = ['ann', 'ben', 'cleo', 'dan', 'eve']
/** For each of five people: fifty in total. */
const freezesEach = 10
const batch = 10

describe('proof 17: freezing', () => {
  let berth: Deployment
  before(async () => {
    berth = await deploy({
      name: 'freeze',
      directors: 2,
      settings: {
        CONTAINER_IDLE_FREEZE: `${freezeMs}ms`,
        CONTAINER_IDLE_STOP: '0',
        CONTAINER_IDLE_REMOVE: '0',
        // Enough for five workspaces.
        MAX_MEMORY: '1280m',
      },
    })
  })
  after(() => berth[Symbol.asyncDispose]())

  /** The same person through each of the directors. */
  async function ways(user: string): Promise<readonly GatewayLike[]> {
    const places = await berth.directorPlaces()
    assert.equal(places.length, 2)
    return places.map((place) => asTheGateway(berth, place, user))
  }

  it('serves each request exactly once, in fifty freezes with ten requests around each', async () => {
    await using history = await watchEngine(berth.engine)
    const worst = await Promise.all(
      logins.map(async (login) => freezeAndWake(history, login, await ways(login))),
    )
    const frozen = history.events.filter(isOf(berth, 'pause')).length
    assert.ok(frozen >= logins.length * freezesEach, `${frozen} freezes`)
    for (const login of logins) {
      const [way] = await ways(login)
      const { counts } = await (await way!.ask('/stats')).json<{ counts: Record<string, number> }>()
      const keys = Object.keys(counts)
      assert.ok(keys.length >= freezesEach * batch, `${login} asked ${keys.length} times`)
      assert.deepEqual(
        keys.filter((key) => counts[key] !== 1),
        [],
        'each arrived once',
      )
    }
    process.stdout.write(`the slowest answer around a freeze took ${Math.max(...worst)} ms\n`)
  })

  /** @returns the slowest answer, in milliseconds */
  async function freezeAndWake(
    history: EngineHistory,
    login: string,
    by: readonly GatewayLike[],
  ): Promise<number> {
    const ask = async (key: string, at: number): Promise<number> => {
      const began = performance.now()
      const answer = await by[at % by.length]!.ask(`/count/${key}`)
      const text = await answer.text()
      assert.equal(answer.status, 200, `${login} ${key}: ${text}`)
      assert.deepEqual(JSON.parse(text), { key, count: 1 })
      return Math.round(performance.now() - began)
    }
    await ask('first', 0)
    let lastUse = Date.now()
    const first = await history.first(
      `${login} freezes`,
      freezeMs + slackMs,
      isOf(berth, 'pause', login),
    )
    // How long after the last use it freezes, measured at each freeze.
    let freezesAfterMs = Math.round(first.at - lastUse)
    let laterMs = 0
    let slowest = 0
    // The first freeze had no requests around it, and does not count.
    for (let round = 0; pauses(history, login).length <= freezesEach; round += 1) {
      assert.ok(
        round < freezesEach * 10,
        `${login} froze only ${pauses(history, login).length} times`,
      )
      // Ten requests within 90 ms, with the freeze somewhere among them.
      const early = 20 + ((round * 17) % 60)
      await letPass(Math.max(0, lastUse + freezesAfterMs - early - Date.now()))
      const times = await Promise.all(
        Array.from({ length: batch }, async (_each, at) => {
          await letPass(at * 10)
          return ask(`${round}-${at}`, at)
        }),
      )
      slowest = Math.max(slowest, ...times)
      const pause = pauses(history, login).find(({ at }) => at > lastUse)
      // Without a freeze, the requests came too early and postponed it: the next ones come later, each time by more.
      laterMs = pause === undefined ? Math.max(40, laterMs * 2) : 0
      freezesAfterMs =
        pause === undefined ? freezesAfterMs + laterMs : Math.round(pause.at - lastUse)
      lastUse = Date.now()
    }
    return slowest
  }

  const pauses = (history: EngineHistory, login: string): readonly EngineEvent[] =>
    history.events.filter(isOf(berth, 'pause', login))

  it('wakes for data on a WebSocket that stayed open', async () => {
    await using history = await watchEngine(berth.engine)
    const [way] = await ways('ann')
    const socket = await way!.webSocket('/ws')
    socket.send('before')
    assert.equal(await socket.next(), 'before')
    for (const word of ['one', 'two', 'three']) {
      const seen = history.events.length
      await history.first(
        'it freezes under the open WebSocket',
        freezeMs + slackMs,
        (event) => isLater(history, event, seen) && isOf(berth, 'pause', 'ann')(event),
      )
      const began = performance.now()
      socket.send(word)
      assert.equal(await socket.next(), word)
      process.stdout.write(`typing woke it in ${Math.round(performance.now() - began)} ms\n`)
    }
    await eventually('each was woken for', slackMs, async () => {
      return history.events.filter(isOf(berth, 'unpause', 'ann')).length >= 3
    })
    assert.equal(history.events.filter(isOf(berth, 'unpause', 'ann')).length, 3)
    socket.close()
  })

  it('evicts the least recently used frozen workspace when a person waits for its memory', async () => {
    await using history = await watchEngine(berth.engine)
    // In another order than that of the names or of the starts.
    for (const login of ['cleo', 'eve', 'ann', 'dan', 'ben']) {
      const [way] = await ways(login)
      assert.equal((await way!.ask('/whoami')).status, 200)
      // The reports of use are accurate to this interval.
      await letPass(500)
    }
    const states = async () => Promise.all(logins.map(async (login) => stateOf(login)))
    await eventually('all five are frozen', freezeMs + slackMs, async () =>
      (await states()).every((state) => state === 'paused'),
    )
    const [fred] = await ways('fred')
    const answer = await fred!.ask('/whoami')
    assert.equal(answer.status, 200)
    const { hostname } = await answer.json<{ hostname: string }>()
    assert.equal(hostname, berth.workspaceName('fred'))

    const ended = history.events.filter(isOf(berth, 'die'))
    assert.deepEqual(
      ended.map(({ name }) => name),
      [berth.workspaceName('cleo')],
    )
    // It was thawed, so it could end by itself and was not killed.
    assert.equal(ended[0]?.attributes['exitCode'], '0')
    assert.deepEqual((await states()).filter((state) => state === 'paused').length, 4)
  })

  async function stateOf(login: string): Promise<string> {
    const { State } = await inspected(berth.engine, berth.workspaceName(login))
    return State.Status
  }
})

function isLater(history: EngineHistory, event: EngineEvent, seen: number): boolean {
  return history.events.indexOf(event) >= seen
}

function isOf(berth: Deployment, action: string, login?: string) {
  return (event: EngineEvent): boolean =>
    event.type === 'container' &&
    event.action === action &&
    event.attributes['berth.instance'] === berth.instance &&
    (login === undefined || event.name === berth.workspaceName(login))
}
