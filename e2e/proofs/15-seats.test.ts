// Proof 15: several people share a workspace, as many as it has seats, and in its whole life no more than its total.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import type { Place } from '../clients/place.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { killProcess, restarted } from '../deployment/kill.ts'
import { homelessTemplate } from '../deployment/templates.ts'
import { workspacesOf } from '../engine/belongings.ts'
import { isOfWorkspace, watchEngine } from '../engine/history.ts'
import { letPass } from '../run/deadline.ts'

const seats = 10
const people = Array.from({ length: 50 }, (_, n) => `p${String(n + 1).padStart(2, '0')}`)
const seatIdleMs = 5_000

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
        CONTAINER_MEMORY: '128m',
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

  /** Who answers, and as whom it knows the person. */
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

  it('puts fifty people who come at once into five workspaces of ten, and the 51st into a sixth', async () => {
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
    await berth.reconfigure({ CONTAINER_SEAT_IDLE: `${seatIdleMs}ms` }, 'spawner')
    await restarted(berth, 'spawner')
    // Nobody uses anything: all seats end, and the six of them are as empty as they can be.
    await letPass(seatIdleMs + 4_000)
    await using history = await watchEngine(berth.engine)
    const before = await workspacesOf(berth.engine, berth.instance)
    assert.equal(before.length, 6)

    const host = await visit('new0')
    const served = before.length
    for (let n = 1; n < 5; n += 1) assert.equal(await visit(`new${n}`), host, 'the fullest first')
    await killProcess(berth, 'spawner')
    await restarted(berth, 'spawner')
    // It had ten before and has had five now.
    for (let n = 5; n < 10; n += 1) assert.equal(await visit(`new${n}`), host)
    assert.notEqual(await visit('toomany'), host, 'twenty have been there: it takes nobody new')
    assert.equal(await visit('new9'), host, 'who is there stays')
    assert.equal((await workspacesOf(berth.engine, berth.instance)).length, served)

    const gone = await history.first(
      'it goes when the last has left',
      seatIdleMs + 15_000,
      (event) => isOfWorkspace(berth)(event) && event.action === 'destroy' && event.name === host,
    )
    const ended = history.events.filter(
      (event) => isOfWorkspace(berth)(event) && event.action === 'die',
    )
    assert.deepEqual(
      ended.map(({ id }) => id),
      [gone.id],
      'the others stay',
    )
  })
})

function tallyOf(hosts: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const host of hosts) counts.set(host, (counts.get(host) ?? 0) + 1)
  return counts
}
