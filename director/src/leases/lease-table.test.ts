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
  it('hands out a lease until it runs out, and not a moment longer', async () => {
    const { time, table, lease } = setUp()
    const alice = holder('alice')
    table.grant(alice, lease('g1', 1_000))
    await time.pass(999)
    assert.equal(table.current(seatKey(alice))?.lease.generation, 'g1')
    await time.pass(1)
    assert.equal(table.current(seatKey(alice)), undefined)
    assert.equal(table.last(seatKey(alice))?.generation, 'g1')
  })

  it('makes another subject of the same name ask anew', () => {
    const { table, lease } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    assert.equal(table.current(seatKey(holder('alice', { subject: 'u-other' }))), undefined)
  })

  it('makes the same person ask anew when the groups have changed, but not their order', () => {
    const { table, lease } = setUp()
    table.grant(holder('alice', { groups: ['a', 'b'] }), lease('g1', 1_000))
    assert.equal(table.current(seatKey(holder('alice', { groups: ['a'] }))), undefined)
    assert.ok(table.current(seatKey(holder('alice', { groups: ['b', 'a'] }))))
  })

  it('does not take names and groups apart that meet when they are joined', () => {
    assert.notEqual(
      seatKey(holder('a', { groups: ['x,y'] })),
      seatKey(holder('a', { groups: ['x', 'y'] })),
    )
  })

  it('ends the connections of a generation when another takes its place', () => {
    const { table, lease, ended } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    table.grant(holder('alice'), lease('g1', 2_000))
    assert.deepEqual(ended, [])
    table.grant(holder('alice'), lease('g2', 1_000))
    assert.deepEqual(ended, ['g1 unused'])
  })

  it('keeps no connection through a time without a lease, when it may have been frozen', async () => {
    const { time, table, lease, ended } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    await time.pass(1_000)
    table.grant(holder('alice'), lease('g1', 1_000))
    assert.deepEqual(ended, ['g1 unused'])
    table.grant(holder('bob'), lease('g1', 5_000))
    await time.pass(1_000)
    table.grant(holder('alice'), lease('g1', 1_000))
    assert.deepEqual(ended, ['g1 unused'], 'somebody else had a lease all the while')
  })

  it('keeps the connections of a generation that another seat still holds', () => {
    const { table, lease, ended } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    table.grant(holder('alice', { groups: ['staff'] }), lease('g1', 1_000))
    table.grant(holder('alice'), lease('g2', 1_000))
    assert.deepEqual(ended, [])
  })

  it('revokes a generation from everybody who holds it', () => {
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

  it('drops what could not be connected to without ending its open connections', () => {
    const { table, lease, ended } = setUp()
    table.grant(holder('alice'), lease('g1', 1_000))
    table.dropGeneration('g1')
    assert.equal(table.current(seatKey(holder('alice'))), undefined)
    assert.deepEqual(ended, [])
  })

  it('does not let a late answer to a report touch a lease that was granted meanwhile', () => {
    const { table, lease } = setUp()
    const seat = table.grant(holder('alice'), lease('g1', 1_000))
    const reported = seat.lease
    table.grant(holder('alice'), lease('g2', 1_000))
    table.end(seat, reported)
    assert.equal(table.current(seatKey(holder('alice')))?.lease.generation, 'g2')
    table.renew(seat, reported, { askedAt: 0, expiresAt: 99_000 })
    assert.equal(table.last(seatKey(holder('alice')))?.generation, 'g2')
  })

  it('knows the shortest lease in hand, leaving out what was found by name', () => {
    const { table, lease } = setUp()
    assert.equal(table.shortestMs(), undefined)
    table.grant(holder('alice'), lease('g1', 4_000))
    table.grant(holder('bob'), lease('g2', 3_000))
    table.grant(holder('carol'), lease('g3', 10, true))
    assert.equal(table.shortestMs(), 3_000)
  })

  it('forgets a seat once nobody has to be told of it, and its connections with it', async () => {
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
