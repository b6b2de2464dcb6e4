import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseUserName } from '@berth/shared/names'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { pino } from 'pino'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createLeaseTable } from '../leases/lease-table.ts'
import { seatKey, type Lease } from '../leases/lease.ts'
import { createSeatRequests, type PendingSeatRequest } from './seat-requests.ts'
import type { Spawner } from './client.ts'

type RequestSeat = Spawner['requestSeat']
type SentRequest = Parameters<RequestSeat>[0]
type Answer = Awaited<ReturnType<RequestSeat>>

const pool = parseSubnetPool('10.213.0.0/16')
const name = parseUserName('alice')
assert(pool !== undefined && name !== undefined)
const holder = { template: 'lab', user: { name, subject: 'u-alice', groups: [] } }

const granted = (generation = 'g1', leaseMs = 10_000): Answer => ({
  status: 'granted',
  workspace: 'lab-alice',
  generation,
  address: { host: '10.213.0.2', port: 8888 },
  leaseMs,
})
const waiting: Answer = { status: 'waiting', workspace: 'lab-alice', phase: 'starting' }
const unreachable: Answer = { status: 'unreachable', cause: new Error('refused') }

function setUp() {
  assert(pool !== undefined)
  const time = createFakeTime()
  const sent: SentRequest[] = []
  let found: Lease | undefined
  let answer: RequestSeat = async () => granted()
  const table = createLeaseTable({ clock: time.clock, generationEnded: () => undefined })
  const seats = createSeatRequests({
    table,
    requestSeat(request, signal, requestId) {
      sent.push(request)
      return answer(request, signal, requestId)
    },
    lookUp: async () => found,
    pool,
    problemBase: undefined,
    clock: time.clock,
    setTimer: time.setTimer,
    log: pino({ level: 'silent' }),
  })
  return {
    time,
    sent,
    table,
    seats,
    answerWith: (next: typeof answer) => {
      answer = next
    },
    find: (lease: Lease | undefined) => {
      found = lease
    },
    /** Holds the answer as long as requested, as the spawner does. */
    held: ({ waitMs }: SentRequest) => {
      const { promise, resolve } = Promise.withResolvers<Answer>()
      time.setTimer(waitMs, () => resolve(waiting))
      return promise
    },
    pending: (waitMs: number, more: Partial<PendingSeatRequest> = {}): PendingSeatRequest => ({
      holder,
      route: { prefix: 'lab', port: 8888, shared: false, readyPath: '/' },
      start: 'start',
      navigation: false,
      until: time.clock.now() + waitMs,
      requestId: 'request-1',
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

describe('seat requests', () => {
  it('count a lease from before the call', async () => {
    const { time, seats, pending, answerWith } = setUp()
    const answer = Promise.withResolvers<Answer>()
    answerWith(() => answer.promise)
    const startedAt = time.clock.now()
    const found = seats.request(pending(60_000))
    await time.pass(3_000)
    answer.resolve(granted('g1', 10_000))
    const seat = await found
    assert(seat.status === 'granted')
    assert.equal(seat.seat.lease.expiresAt, startedAt + 10_000)
  })

  it('do not use a lease that expired before its answer arrived', async () => {
    const { time, seats, pending, answerWith, sent } = setUp()
    answerWith(async () => {
      await time.pass(500)
      return granted('g1', sent.length === 1 ? 400 : 10_000)
    })
    const found = await seats.request(pending(60_000))
    assert.equal(found.status, 'granted')
    assert.equal(sent.length, 2)
  })

  it('repeat the call until the deadline, held first for a second, then for at most 25 s', async () => {
    const { time, seats, pending, answerWith, sent, held } = setUp()
    answerWith(held)
    const found = seats.request(pending(60_000))
    await time.pass(60_000)
    assert.equal((await found).status, 'waiting')
    assert.deepEqual(
      sent.map(({ waitMs }) => waitMs),
      [1_000, 25_000, 25_000, 9_000],
    )
  })

  it('pause between calls when the spawner answers "waiting" at once', async () => {
    const { time, seats, pending, answerWith, sent } = setUp()
    answerWith(async () => waiting)
    const found = seats.request(pending(10_000))
    await time.pass(10_000)
    assert.equal((await found).status, 'waiting')
    assert.ok(sent.length <= 41, `asked ${sent.length} times`)
  })

  it('share one call between a hundred, each with its own deadline and hang-up', async () => {
    const { time, seats, pending, answerWith, sent } = setUp()
    const answer = Promise.withResolvers<Answer>()
    let signal: AbortSignal | undefined
    answerWith((_request, theirs) => {
      signal = theirs
      return answer.promise
    })
    const leaving = new AbortController()
    const left = seats.request(pending(60_000, { signal: leaving.signal }))
    const others = Array.from({ length: 99 }, () => seats.request(pending(60_000)))
    const short = seats.request(pending(1_000))
    await time.pass(0)
    leaving.abort()
    assert.equal((await left).status, 'aborted')
    await time.pass(6_000)
    assert.equal((await short).status, 'waiting')
    assert.equal(signal?.aborted, false, 'the others still wait')
    answer.resolve(granted())
    for (const found of await Promise.all(others)) assert.equal(found.status, 'granted')
    assert.equal(sent.length, 1)
  })

  it('do not share a call between one that may start a workspace and one that may not', async () => {
    const { time, seats, pending, sent } = setUp()
    const both = [seats.request(pending(1_000)), seats.request(pending(1_000, { start: 'no' }))]
    await time.pass(0)
    await Promise.all(both)
    assert.deepEqual(sent.map(({ start }) => start).sort(), ['no', 'start'])
  })

  it('look up the name when the spawner cannot be reached', async () => {
    const { seats, pending, answerWith, find, byName } = setUp()
    answerWith(async () => unreachable)
    assert.equal((await seats.request(pending(60_000))).status, 'unreachable')
    find(byName())
    const found = await seats.request(pending(60_000))
    assert(found.status === 'granted')
    assert.equal(found.seat.lease.byName, true)
  })

  it('look up the name first after that, so that a spawner that hangs delays no request', async () => {
    const { time, seats, pending, answerWith, find, byName, table } = setUp()
    answerWith(async () => unreachable)
    find(byName())
    await seats.request(pending(60_000))
    await time.pass(2_000)
    const late = Promise.withResolvers<Answer>()
    answerWith(() => late.promise)
    find(byName())
    assert.equal((await seats.request(pending(60_000))).status, 'granted')
    late.resolve(granted('g1'))
    await time.pass(0)
    assert.equal(table.current(seatKey(holder))?.lease.generation, 'g1', 'and asks it aside')
  })

  for (const [who, navigation, waitMs] of [
    ['a program', false, 60_000],
    ['a person', true, 400],
  ] as const)
    it(`call the spawner again for ${who} when it answers too late, for 10 s at most`, async () => {
      const { answerWith, seats, sent, pending, time } = setUp()
      const late: Answer = { status: 'unreachable', cause: new Error('late'), late: true }
      answerWith(async () => late)
      const served = seats.request(pending(waitMs, { navigation }))
      await time.pass(9_000)
      assert.ok(sent.length > 10)
      answerWith(async () => granted())
      await time.pass(1_000)
      assert.equal((await served).status, 'granted')

      answerWith(async () => late)
      const user = { ...holder.user, subject: 'u-other' }
      const refused = seats.request(pending(400, { navigation, holder: { ...holder, user } }))
      await time.pass(11_000)
      assert.equal((await refused).status, 'unreachable')
    })

  it('name a generation that could not be connected to only once', async () => {
    const { time, seats, pending, answerWith, sent, byName } = setUp()
    answerWith(async () => (sent.length < 3 ? waiting : granted()))
    const failed: Lease = { ...byName(), generation: 'g0', byName: false }
    const found = seats.request(pending(60_000, { failed }))
    await time.pass(1_000)
    assert.equal((await found).status, 'granted')
    assert.deepEqual(
      sent.map(({ unreachable: told }) => told),
      ['g0', undefined, undefined],
    )
  })

  it('call the spawner first again once it was reachable', async () => {
    const { time, seats, pending, answerWith, find, byName, sent } = setUp()
    answerWith(async () => unreachable)
    find(byName())
    await seats.request(pending(60_000))
    await time.pass(2_000)
    seats.spawnerReachable()
    answerWith(async () => granted())
    await seats.request(pending(60_000))
    assert.equal(sent.length, 2)
  })

  it('do not use an address by name that did not answer a moment ago', async () => {
    const { seats, pending, answerWith, find, byName } = setUp()
    answerWith(async () => unreachable)
    find(byName())
    const found = await seats.request(pending(60_000, { failed: byName() }))
    assert.equal(found.status, 'unreachable')
  })

  it('name a granted generation that could not be connected to, but not one that was found by name', async () => {
    const { seats, pending, sent, byName } = setUp()
    const failed: Lease = { ...byName(), generation: 'g0', byName: false }
    await seats.request(pending(1_000, { failed }))
    const again = setUp()
    await again.seats.request(again.pending(1_000, { failed: again.byName() }))
    assert.equal(sent[0]?.unreachable, 'g0')
    assert.equal(again.sent[0]?.unreachable, undefined)
  })

  it('refuse an address outside the pool', async () => {
    const { seats, pending, answerWith, table } = setUp()
    answerWith(async () => ({
      status: 'granted',
      workspace: 'lab-alice',
      generation: 'g1',
      address: { host: '203.0.113.9', port: 8888 },
      leaseMs: 10_000,
    }))
    const found = await seats.request(pending(1_000))
    assert(found.status === 'refused')
    assert.equal(found.problem.code, 'workspace_unreachable')
    assert.equal([...table.seats()].length, 0)
  })
})
