import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseUserName } from '@berth/shared/names'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { pino } from 'pino'
import { createFakeTime } from '../testing/fake-time.ts'
import { createLeaseTable } from '../leases/lease-table.ts'
import { seatKey, type Lease } from '../leases/lease.ts'
import { createSeatDesk, type SeatWish } from './seats.ts'
import type { SeatOutcome, SeatQuestion } from './client.ts'

const pool = parseSubnetPool('10.213.0.0/16')
const name = parseUserName('alice')
assert(pool !== undefined && name !== undefined)
const holder = { template: 'lab', person: { name, subject: 'u-alice', groups: [] } }

const granted = (generation = 'g1', leaseMs = 10_000): SeatOutcome => ({
  status: 'granted',
  workspace: 'lab-alice',
  generation,
  address: { host: '10.213.0.2', port: 8888 },
  leaseMs,
})
const waiting: SeatOutcome = { status: 'waiting', workspace: 'lab-alice', phase: 'starting' }
const unreachable: SeatOutcome = { status: 'unreachable', cause: new Error('refused') }

function setUp() {
  assert(pool !== undefined)
  const time = createFakeTime()
  const asked: SeatQuestion[] = []
  let found: Lease | undefined
  let answer: (question: SeatQuestion, signal: AbortSignal) => Promise<SeatOutcome> = async () =>
    granted()
  const table = createLeaseTable({ clock: time.clock, generationEnded: () => undefined })
  const desk = createSeatDesk({
    table,
    askSeat(question, signal) {
      asked.push(question)
      return answer(question, signal)
    },
    lookUp: async () => found,
    pool,
    problemBase: undefined,
    clock: time.clock,
    after: time.after,
    log: pino({ level: 'silent' }),
  })
  return {
    time,
    asked,
    table,
    desk,
    answerWith: (next: typeof answer) => {
      answer = next
    },
    find: (lease: Lease | undefined) => {
      found = lease
    },
    /** Held as long as asked, as the spawner does it. */
    held: ({ waitMs }: SeatQuestion) => {
      const { promise, resolve } = Promise.withResolvers<SeatOutcome>()
      time.after(waitMs, () => resolve(waiting))
      return promise
    },
    wish: (waitMs: number, more: Partial<SeatWish> = {}): SeatWish => ({
      holder,
      route: { prefix: 'lab', port: 8888, shared: false, readyPath: '/' },
      start: 'start',
      navigation: false,
      until: time.clock.now() + waitMs,
      signal: new AbortController().signal,
      ...more,
    }),
    byName: (): Lease => ({
      workspace: 'lab-alice',
      generation: 'name:lab-alice@10.213.0.2',
      address: { host: '10.213.0.2', port: 8888 },
      askedAt: time.clock.now(),
      expiresAt: time.clock.now() + 2_000,
      byName: true,
    }),
  }
}

describe('the desk for seats', () => {
  it('counts a lease from before it asked', async () => {
    const { time, desk, wish, answerWith } = setUp()
    const answer = Promise.withResolvers<SeatOutcome>()
    answerWith(() => answer.promise)
    const startedAt = time.clock.now()
    const found = desk.ask(wish(60_000))
    await time.pass(3_000)
    answer.resolve(granted('g1', 10_000))
    const seat = await found
    assert(seat.kind === 'seat')
    assert.equal(seat.seat.lease.expiresAt, startedAt + 10_000)
  })

  it('does not go by a lease that ran out on its way', async () => {
    const { time, desk, wish, answerWith, asked } = setUp()
    answerWith(async () => {
      await time.pass(500)
      return granted('g1', asked.length === 1 ? 400 : 10_000)
    })
    const found = await desk.ask(wish(60_000))
    assert.equal(found.kind, 'seat')
    assert.equal(asked.length, 2)
  })

  it('asks again and again, first for a second, then for at most 25 s, until the deadline', async () => {
    const { time, desk, wish, answerWith, asked, held } = setUp()
    answerWith(held)
    const found = desk.ask(wish(60_000))
    await time.pass(60_000)
    assert.equal((await found).kind, 'waiting')
    assert.deepEqual(
      asked.map(({ waitMs }) => waitMs),
      [1_000, 25_000, 25_000, 9_000],
    )
  })

  it('does not hammer a spawner that answers "wait" at once', async () => {
    const { time, desk, wish, answerWith, asked } = setUp()
    answerWith(async () => waiting)
    const found = desk.ask(wish(10_000))
    await time.pass(10_000)
    assert.equal((await found).kind, 'waiting')
    assert.ok(asked.length <= 41, `asked ${asked.length} times`)
  })

  it('asks once for a hundred, and gives each its own deadline and hang-up', async () => {
    const { time, desk, wish, answerWith, asked } = setUp()
    const answer = Promise.withResolvers<SeatOutcome>()
    let signal: AbortSignal | undefined
    answerWith((_question, theirs) => {
      signal = theirs
      return answer.promise
    })
    const leaving = new AbortController()
    const left = desk.ask(wish(60_000, { signal: leaving.signal }))
    const others = Array.from({ length: 99 }, () => desk.ask(wish(60_000)))
    const short = desk.ask(wish(1_000))
    await time.pass(0)
    leaving.abort()
    assert.equal((await left).kind, 'aborted')
    await time.pass(6_000)
    assert.equal((await short).kind, 'waiting')
    assert.equal(signal?.aborted, false, 'the others still wait')
    answer.resolve(granted())
    for (const found of await Promise.all(others)) assert.equal(found.kind, 'seat')
    assert.equal(asked.length, 1)
  })

  it('does not let a request that may not start share the question of one that may', async () => {
    const { time, desk, wish, asked } = setUp()
    const both = [desk.ask(wish(1_000)), desk.ask(wish(1_000, { start: 'no' }))]
    await time.pass(0)
    await Promise.all(both)
    assert.deepEqual(asked.map(({ start }) => start).sort(), ['no', 'start'])
  })

  it('tries the name when the spawner cannot be asked', async () => {
    const { desk, wish, answerWith, find, byName } = setUp()
    answerWith(async () => unreachable)
    assert.equal((await desk.ask(wish(60_000))).kind, 'unreachable')
    find(byName())
    const found = await desk.ask(wish(60_000))
    assert(found.kind === 'seat')
    assert.equal(found.seat.lease.byName, true)
  })

  it('tries the name first from then on: a spawner that hangs would hold everybody up', async () => {
    const { time, desk, wish, answerWith, find, byName, table } = setUp()
    answerWith(async () => unreachable)
    find(byName())
    await desk.ask(wish(60_000))
    await time.pass(2_000)
    const late = Promise.withResolvers<SeatOutcome>()
    answerWith(() => late.promise)
    find(byName())
    assert.equal((await desk.ask(wish(60_000))).kind, 'seat')
    late.resolve(granted('g1'))
    await time.pass(0)
    assert.equal(table.current(seatKey(holder))?.lease.generation, 'g1', 'and asks it aside')
  })

  it('tells only once that a lease could not be connected to: what was looked into stays so', async () => {
    const { time, desk, wish, answerWith, asked, byName } = setUp()
    answerWith(async () => (asked.length < 3 ? waiting : granted()))
    const failed: Lease = { ...byName(), generation: 'g0', byName: false }
    const found = desk.ask(wish(60_000, { failed }))
    await time.pass(1_000)
    assert.equal((await found).kind, 'seat')
    assert.deepEqual(
      asked.map(({ unreachable: told }) => told),
      ['g0', undefined, undefined],
    )
  })

  it('asks the spawner first again once that was seen', async () => {
    const { time, desk, wish, answerWith, find, byName, asked } = setUp()
    answerWith(async () => unreachable)
    find(byName())
    await desk.ask(wish(60_000))
    await time.pass(2_000)
    desk.spawnerSeen()
    answerWith(async () => granted())
    await desk.ask(wish(60_000))
    assert.equal(asked.length, 2)
  })

  it('does not go by the name to where nobody answered a moment ago', async () => {
    const { desk, wish, answerWith, find, byName } = setUp()
    answerWith(async () => unreachable)
    find(byName())
    const found = await desk.ask(wish(60_000, { failed: byName() }))
    assert.equal(found.kind, 'unreachable')
  })

  it('names to the spawner what could not be connected to, but not what only a name led to', async () => {
    const { desk, wish, asked, byName } = setUp()
    const failed: Lease = { ...byName(), generation: 'g0', byName: false }
    await desk.ask(wish(1_000, { failed }))
    const again = setUp()
    await again.desk.ask(again.wish(1_000, { failed: again.byName() }))
    assert.equal(asked[0]?.unreachable, 'g0')
    assert.equal(again.asked[0]?.unreachable, undefined)
  })

  it('refuses an address outside the pool', async () => {
    const { desk, wish, answerWith, table } = setUp()
    answerWith(async () => ({
      status: 'granted',
      workspace: 'lab-alice',
      generation: 'g1',
      address: { host: '203.0.113.9', port: 8888 },
      leaseMs: 10_000,
    }))
    const found = await desk.ask(wish(1_000))
    assert(found.kind === 'refused')
    assert.equal(found.problem.code, 'workspace_unreachable')
    assert.equal([...table.seats()].length, 0)
  })
})
