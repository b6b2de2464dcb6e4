// Proof 16: a hundred people compete for ten places, some leave, and the spawner is killed: there is never an eleventh container.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway, type GatewayLike } from '../../clients/as-the-gateway.ts'
import { deploy, type Deployment } from '../../deployment/deployment.ts'
import { killProcess } from '../../deployment/kill.ts'
import {
  assertMadeInOrder,
  isOfWorkspace,
  mostAtOnce,
  watchEngine,
  type EngineEvent,
} from '../../engine/history.ts'
import { letPass } from '../../run/deadline.ts'

const places = 10
const startingAtOnce = 4
const logins = Array.from({ length: 100 }, (_, n) => `p${String(n + 1).padStart(3, '0')}`)
/** Every seventh gives up while waiting. */
const leavers = new Set(logins.filter((_login, n) => n >= places && n % 7 === 0))
/** How often a waiting person asks again; well within the 30 s for which the spawner remembers them. */
const lookAgainMs = 1_500

describe('proof 16: a hundred people and ten places', () => {
  let berth: Deployment
  before(async () => {
    berth = await deploy({
      name: 'race',
      settings: {
        MAX_WORKSPACES: String(places),
        MAX_STARTING: String(startingAtOnce),
        LOADING_PAGE_AFTER: '50ms',
        CONTAINER_MEMORY: '64m',
        CONTAINER_STOP_TIMEOUT: '2s',
        // People who have left also free their networks.
        CONTAINER_IDLE_STOP: '6s',
        CONTAINER_IDLE_REMOVE: '6s',
      },
    })
  })
  after(() => berth[Symbol.asyncDispose]())

  it('serves them in the order of their requests, ten at a time, through three kills of the spawner', async () => {
    const [director] = await berth.directorPlaces()
    assert.ok(director)
    const people = logins.map((login) => asTheGateway(berth, director, login))
    await using history = await watchEngine(berth.engine)

    // One after another, so that the requests have an order.
    for (const person of people) {
      const answer = await person.navigate('/')
      assert.ok([200, 503].includes(answer.status), `${person.user} is answered ${answer.status}`)
      answer.leave()
    }
    const served: string[] = []
    const waiting = people.map(async (person) => {
      if (leavers.has(person.user)) return giveUp(person)
      await stayUntilServed(person)
      served.push(person.user)
      await leave(person)
    })
    const kills = killSometimes(() => served.length)
    await Promise.all(waiting)
    await kills

    assert.equal(served.length, logins.length - leavers.size, 'everybody who stayed was served')
    const events = history.events.filter(isOfWorkspace(berth))
    assertNeverMore(events)
    const stayed = logins.filter((login) => !leavers.has(login))
    const asked = stayed.map((login) => berth.workspaceName(login))
    assertMadeInOrder(events, asked, startingAtOnce)
  })

  /** kill -9, three times, each after so many more have been served. */
  async function killSometimes(served: () => number): Promise<void> {
    for (const after of [10, 35, 60]) {
      while (served() < after) await letPass(100)
      await killProcess(berth, 'spawner')
    }
  }
})

/** As a loading page without script does: comes back until the workspace answers. */
async function stayUntilServed(person: GatewayLike): Promise<void> {
  for (;;) {
    const answer = await person.navigate('/', { withinMs: 90_000 })
    answer.leave()
    if (answer.status === 200) return
    assert.equal(answer.status, 503, `${person.user} is answered ${answer.status}`)
    await letPass(lookAgainMs)
  }
}

/** Some at once, some a little later, some while they are being served. */
async function giveUp(person: GatewayLike): Promise<void> {
  await letPass(logins.indexOf(person.user) * 30)
  for (;;) {
    const answer = await person.press('cancel')
    const { phase } = await answer.json<{ phase?: string }>()
    if (answer.status === 200) {
      if (phase === 'ready') await leave(person)
      return
    }
    // The spawner is down: the person tries again.
    await letPass(500)
  }
}

/** Ends the container from within, as a person who shuts their application down. */
async function leave(person: GatewayLike): Promise<void> {
  const answer = await person.ask('/exit')
  assert.equal(answer.status, 200, `${person.user} leaves`)
  await answer.text()
}

function assertNeverMore(events: readonly EngineEvent[]): void {
  const lives = events
    .filter(({ action }) => action === 'start')
    .map(({ id, at }) => {
      const died = events.find((event) => event.id === id && event.action === 'die')
      return { from: at, to: died?.at ?? Number.POSITIVE_INFINITY }
    })
  assert.equal(mostAtOnce(lives), places, 'the places were all used, and never one more')
}
