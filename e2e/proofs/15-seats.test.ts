// Proof 15: several people share a workspace: at once as many as it has seats, and in total no more than its limit.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { createApi } from '../clients/api.ts'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import type { Place } from '../clients/place.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { killProcess, restarted } from '../deployment/kill.ts'
import { homelessTemplate } from '../deployment/templates.ts'
import { workspacesOf } from '../engine/belongings.ts'
import { isOfWorkspace, watchEngine } from '../engine/history.ts'
import { eventually, letPass } from '../run/deadline.ts'

const seats = 10
const people = Array.from({ length: 50 }, (_, n) => `p${String(n + 1).padStart(2, '0')}`)
const seatIdleMs = 10_000
/** The lease, the spawner's margin and the reports' interval on top, however busy the machine is. */
const seatsEndMs = seatIdleMs + 60_000

interface Shown {
  readonly name: string
  readonly seats: readonly { readonly user: string }[]
}

describe('proof 15: seats', () => {
  let berth: Deployment
  let director: Place
  before(async () => {
    berth = await deploy({
      name: 'seats',
      template: homelessTemplate,
      settings: {
        CONTAINER_SEATS: String(seats),
        CONTAINER_SEATS_TOTAL: String(seats * 2),
        CONTAINER_SEAT_IDLE: `${seatIdleMs}ms`,
        CONTAINER_MEMORY: '128m',
        API_TOKEN: 'a token of the tests alone',
      },
    })
    await findDirector()
  })
  after(() => berth[Symbol.asyncDispose]())

  async function findDirector(): Promise<void> {
    const [place] = await berth.directorPlaces()
    assert.ok(place)
    director = place
  }

  /** Which workspace answers, and the name that it receives for the person. */
  async function visit(user: string): Promise<string> {
    const answer = await asTheGateway(berth, director, user).ask('/echo')
    const text = await answer.text()
    assert.equal(answer.status, 200, `${user}: ${text}`)
    const { headers } = JSON.parse(text) as { headers: [string, string][] }
    const named = headers.filter(([name]) => /^x-forwarded-preferred-username$/i.test(name))
    assert.deepEqual(
      named.map(([, value]) => value),
      [user],
      'the application is told who asks',
    )
    return String(answer.headers['hello-host'])
  }

  /** Nobody else uses a workspace, so the other seats end. */
  async function onlySeat(user: string, host: string): Promise<void> {
    const api = await createApi(berth)
    await eventually(`nobody but ${user} has a seat`, seatsEndMs, async () => {
      const { workspaces } = await api.read<{ workspaces: Shown[] }>('/api/v1/workspaces')
      const taken = workspaces.flatMap(({ name, seats: all }) =>
        all.map((seat) => [name, seat.user]),
      )
      return JSON.stringify(taken) === JSON.stringify([[host, user]])
    })
  }

  it('seats fifty simultaneous people in five workspaces of ten, and the 51st in a sixth', async () => {
    const hosts = await Promise.all(people.map(visit))
    assert.deepEqual([...tallyOf(hosts).values()], [10, 10, 10, 10, 10])
    for (const host of new Set(hosts)) assert.match(host, /-shared--\d+$/)
    const again = await Promise.all(people.map(visit))
    assert.deepEqual(again, hosts, 'a person keeps the seat they have')

    const late = await visit('late')
    assert.ok(!hosts.includes(late), 'nobody was moved for the 51st')
    assert.equal(await visit('later'), late, 'the one with room is taken before a new one')
    assert.equal((await workspacesOf(berth.engine, berth.instance)).length, 6)
  })

  it('retires a workspace that has served its total, also across kill -9 of the spawner', async () => {
    const host = await visit('p01')
    const stays = stay('p01', host)
    await using history = await watchEngine(berth.engine)
    // So p01's workspace is the fullest, and ten have been there.
    await onlySeat('p01', host)
    for (let n = 11; n < 20; n += 1) assert.equal(await visit(`new${n}`), host, 'the fullest first')
    await onlySeat('p01', host)
    await killProcess(berth, 'spawner')
    await restarted(berth, 'spawner')
    assert.equal(await visit('new20'), host, 'nineteen had been there, and there are seats')
    assert.notEqual(await visit('new21'), host, 'twenty have been there: it takes nobody new')
    assert.equal(await visit('new20'), host, 'a person with a seat stays')
    assert.equal((await workspacesOf(berth.engine, berth.instance)).length, 6)
    await stays.end()

    const ours = isOfWorkspace(berth)
    const gone = await history.first(
      'it is removed when the last person has left',
      seatsEndMs,
      (event) => ours(event) && event.action === 'destroy' && event.name === host,
    )
    const ended = history.events.filter((event) => ours(event) && event.action === 'die')
    assert.deepEqual(
      ended.map(({ id }) => id),
      [gone.id],
      'the others stay',
    )
  })

  /** Uses a seat again and again; while the spawner is dead, the seat may not be found. */
  function stay(user: string, host: string) {
    const ended = new AbortController()
    const staying = (async () => {
      while (!ended.signal.aborted) {
        const answer = await asTheGateway(berth, director, user).ask('/whoami')
        const text = await answer.text()
        if (answer.status === 503) assert.match(text, /spawner_unreachable/)
        else assert.equal(answer.headers['hello-host'], host, `${user} stays where they are`)
        await letPass(250)
      }
    })()
    return {
      end: () => {
        ended.abort()
        return staying
      },
    }
  }
})

function tallyOf(hosts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const host of hosts) counts.set(host, (counts.get(host) ?? 0) + 1)
  return counts
}
