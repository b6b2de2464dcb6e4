import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ActivityAnswer, ActivityReport } from '@berth/shared/contract'
import { parseUserName } from '@berth/shared/names'
import { createActivityReporter, reportIntervalMs } from './activity-reporter.ts'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createLeaseTable } from './lease-table.ts'
import { seatKey, type Lease, type SeatHolder } from './lease.ts'

function holder(name: string, groups: string[] = []): SeatHolder {
  const user = parseUserName(name)
  assert(user !== undefined)
  return { template: 'lab', user: { name: user, subject: `u-${name}`, groups } }
}

function setUp() {
  const time = createFakeTime()
  const sent: ActivityReport['seats'][] = []
  let answer: (
    seats: ActivityReport['seats'],
  ) => Promise<ActivityAnswer['leases'] | undefined> = async (seats) =>
    seats.map(({ workspace }) => ({ workspace, leaseMs: 4_000 }))
  const table = createLeaseTable({
    clock: time.clock,
    generationEnded: () => undefined,
    granted: () => reporter.hurry(),
  })
  const reporter = createActivityReporter({
    table,
    clock: time.clock,
    setTimer: time.setTimer,
    send: (seats) => {
      sent.push(seats)
      return answer(seats)
    },
  })
  return {
    time,
    sent,
    table,
    reporter,
    answerWith: (next: typeof answer) => {
      answer = next
    },
    grant: (who: SeatHolder, ms = 4_000, more: Partial<Lease> = {}) =>
      table.grant(who, {
        workspace: `lab-${who.user.name}`,
        generation: `g-${who.user.name}`,
        address: { host: '10.213.0.2', port: 8888 },
        askedAt: time.clock.now(),
        expiresAt: time.clock.now() + ms,
        byName: false,
        ...more,
      }),
  }
}

describe('activity reports', () => {
  it('go out at a quarter of the shortest lease, between 250 ms and 10 s', () => {
    assert.equal(reportIntervalMs(8_000), 2_000)
    assert.equal(reportIntervalMs(400), 250)
    assert.equal(reportIntervalMs(3_600_000), 10_000)
    assert.equal(reportIntervalMs(undefined), 10_000)
  })

  it('renew the lease of exactly the person and the container in the answer', async () => {
    const { time, sent, table, grant, answerWith } = setUp()
    const [alice, bob, carol] = [holder('alice'), holder('bob'), holder('carol')]
    const shared = { workspace: 'lab-shared--1', generation: 'g1' }
    for (const who of [alice, bob, carol]) grant(who, 4_000, shared).activity.touch()
    const endsAt = '2026-01-01T00:00:00Z'
    answerWith(async ([seat]) =>
      seat === undefined
        ? []
        : [
            {
              workspace: seat.workspace,
              generation: 'g1',
              user: seat.user,
              leaseMs: 9_000,
              endsAt,
            },
            { workspace: seat.workspace, generation: 'g2', leaseMs: 9_000 },
            { workspace: 'lab-else', generation: 'g1', leaseMs: 9_000 },
          ],
    )
    await time.pass(1_000)
    assert.equal(sent[0]?.length, 3)
    assert.equal(table.current(seatKey(alice))?.lease.endsAt, endsAt)
    for (const who of [bob, carol]) assert.equal(table.current(seatKey(who)), undefined)
  })

  it('hazard: do not renew the lease of a former container with that of the current one', async () => {
    const { time, table, grant } = setUp()
    const [before, now] = [holder('alice', ['then']), holder('alice')]
    grant(before, 4_000, { generation: 'g1' }).activity.touch()
    grant(now, 4_000, { generation: 'g2' }).activity.touch()
    await time.pass(1_000)
    assert.equal(table.current(seatKey(before)), undefined)
    assert.equal(table.current(seatKey(now)), undefined, 'which of the two it is, was not said')
  })

  it('keep a lease that is answered with zero until it expires', async () => {
    const { time, table, grant, answerWith } = setUp()
    const alice = holder('alice')
    grant(alice, 4_000).activity.touch()
    answerWith(async ([seat]) => [{ workspace: seat?.workspace ?? '', leaseMs: 0 }])
    await time.pass(3_999)
    assert.ok(table.current(seatKey(alice)))
    await time.pass(1)
    assert.equal(table.current(seatKey(alice)), undefined)
  })

  it('report a seat once more after its last connection has closed', async () => {
    const { time, sent, grant } = setUp()
    const connection = grant(holder('alice')).activity.open()
    await time.pass(1_000)
    connection[Symbol.dispose]()
    await time.pass(3_000)
    assert.deepEqual(
      sent.map(([seat]) => seat?.connections),
      [1, 0],
    )
  })

  it('do not name a container for a lease that was found by name', async () => {
    const { time, sent, grant } = setUp()
    grant(holder('alice'), 20_000, { byName: true }).activity.touch()
    await time.pass(10_000)
    assert.deepEqual(Object.keys(sent[0]?.[0] ?? {}).sort(), [
      'connections',
      'lastUseAgoMs',
      'user',
      'workspace',
    ])
  })

  it('report a seat with traffic and renew its lease from before the report was sent', async () => {
    const { time, sent, table, grant } = setUp()
    const alice = holder('alice')
    grant(alice).activity.touch()
    await time.pass(1_000)
    assert.deepEqual(sent, [
      [
        {
          workspace: 'lab-alice',
          generation: 'g-alice',
          user: 'alice',
          lastUseAgoMs: 1_000,
          connections: 0,
        },
      ],
    ])
    await time.pass(3_999)
    assert.ok(table.current(seatKey(alice)), 'renewed at 1 s for 4 s')
    await time.pass(1)
    assert.equal(table.current(seatKey(alice)), undefined, 'nothing passed since')
    assert.equal(sent.length, 1, 'and no empty report was sent')
  })

  it('renew the lease of a seat with an open connection, however idle, and report the connection', async () => {
    const { time, sent, table, grant } = setUp()
    const alice = holder('alice')
    const seat = grant(alice)
    seat.activity.touch()
    seat.activity.open()
    await time.pass(20_000)
    assert.ok(table.current(seatKey(alice)))
    assert.ok(sent.length >= 19)
    assert.equal(sent.at(-1)?.[0]?.connections, 1)
    assert.ok((sent.at(-1)?.[0]?.lastUseAgoMs ?? 0) >= 19_000)
  })

  it('are sent earlier when a lease is granted that is shorter than any before', async () => {
    const { time, sent, grant } = setUp()
    await time.pass(100)
    grant(holder('alice'), 1_000).activity.touch()
    await time.pass(250)
    assert.equal(sent.length, 1)
  })

  it('end a lease that the answer leaves out', async () => {
    const { time, table, grant, answerWith } = setUp()
    answerWith(async () => [])
    const alice = holder('alice')
    grant(alice).activity.touch()
    await time.pass(1_000)
    assert.equal(table.current(seatKey(alice)), undefined)
  })

  it('tell a seat when it ends unused, and that it has ended', async () => {
    const { time, table, grant, answerWith } = setUp()
    const alice = holder('alice')
    const seat = grant(alice)
    seat.activity.open()
    const of = { workspace: seat.lease.workspace, user: alice.user.name }
    answerWith(async () => [{ ...of, leaseMs: 0, unusedEndsInMs: 5_000 }])
    await time.pass(1_000)
    const { unused } = seat
    assert.equal((unused?.endsAt ?? 0) - (unused?.toldAt ?? 0), 5_000)
    assert.equal(seat.ended.aborted, false)
    answerWith(async () => [{ ...of, leaseMs: 0, seatEnded: true }])
    await time.pass(1_000)
    assert.deepEqual(seat.ended.reason, { lost: true })
    assert.equal(table.current(seatKey(alice)), undefined)
    assert.equal(grant(alice).ended.aborted, false)
  })

  it('let leases expire while no report arrives, and report everything once one can', async () => {
    const { time, sent, table, grant, answerWith } = setUp()
    answerWith(async () => undefined)
    const alice = holder('alice')
    grant(alice).activity.touch()
    await time.pass(3_999)
    assert.ok(table.current(seatKey(alice)))
    await time.pass(1)
    assert.equal(table.current(seatKey(alice)), undefined)
    answerWith(async () => [])
    await time.pass(10_000)
    assert.equal(sent.at(-1)?.[0]?.workspace, 'lab-alice')
  })

  it('report an unused seat as never used, not as used now', async () => {
    const { time, sent, grant } = setUp()
    grant(holder('alice')).activity.open()
    await time.pass(1_000)
    assert.equal(sent[0]?.[0]?.lastUseAgoMs, 366 * 86_400_000)
  })

  it('have one entry for one person with two sets of groups, with the later use', async () => {
    const { time, sent, grant } = setUp()
    grant(holder('alice')).activity.touch()
    await time.pass(300)
    const other = grant(holder('alice', ['staff']))
    other.activity.touch()
    other.activity.open()
    await time.pass(700)
    assert.deepEqual(sent[0], [
      {
        workspace: 'lab-alice',
        generation: 'g-alice',
        user: 'alice',
        lastUseAgoMs: 700,
        connections: 1,
      },
    ])
  })

  it('do not renew a lease that was found by name', async () => {
    const { time, table, grant, reporter } = setUp()
    const alice = holder('alice')
    grant(alice, 2_000, { byName: true }).activity.touch()
    await reporter.report()
    await time.pass(2_000)
    assert.equal(table.current(seatKey(alice)), undefined)
  })

  it('do not renew a lease that was dropped while the report was under way', async () => {
    const { time, table, grant, answerWith } = setUp()
    const answered = Promise.withResolvers<ActivityAnswer['leases']>()
    answerWith(() => answered.promise)
    const alice = holder('alice')
    grant(alice).activity.touch()
    await time.pass(1_000)
    table.dropGeneration('g-alice')
    answered.resolve([{ workspace: 'lab-alice', leaseMs: 60_000 }])
    await time.pass(0)
    assert.equal(table.current(seatKey(alice)), undefined)
  })

  it('do not renew a lease that had expired before they were sent', async () => {
    const { time, table, grant, reporter, answerWith } = setUp()
    answerWith(async () => undefined)
    const alice = holder('alice')
    grant(alice).activity.open()
    await time.pass(4_000)
    answerWith(async () => [{ workspace: 'lab-alice', leaseMs: 60_000 }])
    await reporter.report()
    assert.equal(table.current(seatKey(alice)), undefined, 'who needs a seat asks for one')
  })

  it('are sent a last time at shutdown', async () => {
    const { sent, grant, reporter } = setUp()
    grant(holder('alice')).activity.touch()
    await reporter[Symbol.asyncDispose]()
    assert.equal(sent.length, 1)
  })
})
