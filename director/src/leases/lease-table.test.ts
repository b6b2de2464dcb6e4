import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseUserName } from '@berth/shared/names'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createLeaseTable } from './lease-table.ts'
import { seatKey, type Lease, type SeatHolder } from './lease.ts'

function holder(name: string, more: { subject?: string; groups?: string[] } = {}): SeatHolder {
  const user = parseUserName(name)
  assert(user !== undefined)
  return {
    template: 'lab',
    user: { name: user, subject: more.subject ?? `u-${name}`, groups: more.groups ?? [] },
  }
}

function setUp() {
  const time = createFakeTime()
  const ended: string[] = []
  const table = createLeaseTable({
    clock: time.clock,
    generationEnded: (generation, how) => ended.push(`${generation} ${how}`),
  })
  const lease = (generation: string, ms: number, byName = false): Lease => ({
    workspace: 'lab-alice',
    generation,
    address: { host: '10.213.0.2', port: 8888 },
    askedAt: time.clock.now(),
    expiresAt: time.clock.now() + ms,
    byName,
  })
  return { time, ended, table, lease }
}

describe('lease table', () => {
  it('returns a lease until it expires, and not a moment longer', async () => {
    const { time, table, lease } = setUp()
    const alice = holder('alice')
    table.grant(alice, lease('g1', 1_000))
    await time.pass(999)
    assert.equal(table.current(seatKey(alice))?.lease.generation, 'g1')
    await time.pass(1)
    assert.equal(table.current(seatKey(alice)), undefined)
    assert.equal(table.last(seatKey(alice))?.generation, 'g1')
  })

  it('ends the seats of a container that Berth stops with the reason, and of one that ended by itself without', () => {
    const { table, lease } = setUp()
    const seat = table.grant(holder('alice'), lease('g1', 1_000))
    table.revoke('g1')
    assert.equal(seat.ended.aborted, false)
    table.revoke('g1', 'idle')
    assert.deepEqual(seat.ended.reason, { stopped: 'idle' })
    const next = table.grant(holder('alice'), lease('g2', 1_000))
    assert.equal(next.ended.aborted, false)
    assert.equal(next.activity, seat.activity)
  })

  it('has no lease for another subject of the same name', () => {
    const { table, lease } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    assert.equal(table.current(seatKey(holder('alice', { subject: 'u-other' }))), undefined)
  })

  it('has no lease for the same person with other groups, but has one for the same groups in another order', () => {
    const { table, lease } = setUp()
    table.grant(holder('alice', { groups: ['a', 'b'] }), lease('g1', 1_000))
    assert.equal(table.current(seatKey(holder('alice', { groups: ['a'] }))), undefined)
    assert.ok(table.current(seatKey(holder('alice', { groups: ['b', 'a'] }))))
  })

  it('distinguishes holders whose names and groups are equal when joined', () => {
    assert.notEqual(
      seatKey(holder('a', { groups: ['x,y'] })),
      seatKey(holder('a', { groups: ['x', 'y'] })),
    )
  })

  it('ends the connections of a generation when another one replaces it', () => {
    const { table, lease, ended } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    table.grant(holder('alice'), lease('g1', 2_000))
    assert.deepEqual(ended, [])
    table.grant(holder('alice'), lease('g2', 1_000))
    assert.deepEqual(ended, ['g1 unused'])
  })

  it('keeps no connection through a time without a lease, in which the container may have been frozen', async () => {
    const { time, table, lease, ended } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    await time.pass(1_000)
    table.grant(holder('alice'), lease('g1', 1_000))
    assert.deepEqual(ended, ['g1 unused'])
    table.grant(holder('bob'), lease('g1', 5_000))
    await time.pass(1_000)
    table.grant(holder('alice'), lease('g1', 1_000))
    assert.deepEqual(ended, ['g1 unused'], 'another person had a lease all the time')
  })

  it('keeps the connections of a generation that another seat still holds', () => {
    const { table, lease, ended } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    table.grant(holder('alice', { groups: ['staff'] }), lease('g1', 1_000))
    table.grant(holder('alice'), lease('g2', 1_000))
    assert.deepEqual(ended, [])
  })

  it('revokes a generation from every holder', () => {
    const { table, lease, ended } = setUp()
    const [one, two] = [holder('alice'), holder('alice', { groups: ['staff'] })]
    table.grant(one, lease('g1', 1_000))
    table.grant(two, lease('g1', 1_000))
    table.revoke('g1')
    assert.equal(table.current(seatKey(one)), undefined)
    assert.equal(table.current(seatKey(two)), undefined)
    assert.deepEqual(ended, ['g1 revoked'])
  })

  it('does not revoke a newer generation', () => {
    const { table, lease } = setUp()
    table.grant(holder('alice'), lease('g2', 1_000))
    table.revoke('g1')
    assert.ok(table.current(seatKey(holder('alice'))))
  })

  it('drops the leases of a generation without ending its open connections', () => {
    const { table, lease, ended } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    table.dropGeneration('g1')
    assert.equal(table.current(seatKey(holder('alice'))), undefined)
    assert.deepEqual(ended, [])
  })

  it('does not change a lease that was granted while a report was under way', () => {
    const { table, lease } = setUp()
    const seat = table.grant(holder('alice'), lease('g1', 1_000))
    const reported = seat.lease
    table.grant(holder('alice'), lease('g2', 1_000))
    table.end(seat, reported)
    assert.equal(table.current(seatKey(holder('alice')))?.lease.generation, 'g2')
    table.renew(seat, reported, { askedAt: 0, expiresAt: 99_000 })
    assert.equal(table.last(seatKey(holder('alice')))?.generation, 'g2')
  })

  it('returns the shortest lease, without leases that were found by name', () => {
    const { table, lease } = setUp()
    assert.equal(table.shortestMs(), undefined)
    table.grant(holder('alice'), lease('g1', 4_000))
    table.grant(holder('bob'), lease('g2', 3_000))
    table.grant(holder('carol'), lease('g3', 10, true))
    assert.equal(table.shortestMs(), 3_000)
  })

  it('removes a seat, and its connections, once there is nothing to report about it', async () => {
    const { time, table, lease, ended } = setUp()
    const seat = table.grant(holder('alice'), lease('g1', 1_000))
    const open = seat.activity.open()
    await time.pass(2_000)
    table.sweep()
    assert.deepEqual(ended, [], 'an open connection keeps it')
    open[Symbol.dispose]()
    await time.pass(1)
    table.sweep()
    assert.deepEqual(ended, [], 'its end has not been told yet')
    seat.activity.reporting()()
    table.sweep()
    assert.deepEqual(ended, ['g1 unused'])
    assert.equal(table.last(seatKey(holder('alice'))), undefined)
  })
})
