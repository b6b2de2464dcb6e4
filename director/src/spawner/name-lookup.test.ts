import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ownerAlias, parsePrefix, parseUserName, workspaceName } from '@berth/shared/names'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import type { Lease } from '../leases/lease.ts'
import { createNameLookup, type NamedRoute } from './name-lookup.ts'

const pool = parseSubnetPool('10.213.0.0/16')
const name = parseUserName('alice')
const prefix = parsePrefix('lab')
assert(pool !== undefined && name !== undefined && prefix !== undefined)
const workspace = workspaceName(prefix, name)
const alias = ownerAlias(workspace, 'u-alice')
const holder = { template: 'lab', user: { name, subject: 'u-alice', groups: [] } }
const route = { prefix: 'lab', port: 8888, shared: false, readyPath: '/ready' }

const here = { [workspace]: ['10.213.0.2'], [alias]: ['10.213.0.2'] }

function lookup(
  names: Readonly<Record<string, readonly string[]>>,
  last?: Lease,
  more: Partial<NamedRoute> = {},
) {
  const { lookUp } = setUp(names)
  return lookUp(holder, { ...route, ...more }, last)
}

function setUp(names: Readonly<Record<string, readonly string[]>>) {
  const time = createFakeTime()
  const probed: string[] = []
  let status: number | undefined = 200
  assert(pool !== undefined)
  const lookUp = createNameLookup({
    resolve: async (asked) => names[asked] ?? [],
    pool,
    clock: time.clock,
    async tryProbe({ generation, address, path }) {
      probed.push(`${generation} ${address.host}:${address.port}${path}`)
      return status === undefined ? {} : { status }
    },
  })
  return {
    time,
    probed,
    lookUp,
    answer: (next: number | undefined) => {
      status = next
    },
  }
}

describe('a workspace found by name', () => {
  it('is where both its name and its owner’s alias resolve to, for a short time', async () => {
    const lease = await lookup({ [workspace]: ['10.213.0.2'], [alias]: ['10.213.0.2'] })
    assert.deepEqual(lease?.address, { host: '10.213.0.2', port: 8888 })
    assert.equal(lease.expiresAt - lease.askedAt, 2_000)
    assert.equal(lease.byName, true)
  })

  it('is never one of a route that is shared or leads to one workspace alone', async () => {
    assert.equal(await lookup(here, undefined, { shared: true }), undefined)
    assert.equal(await lookup(here, undefined, { workspace: 'lab-alice' }), undefined)
  })

  it('hazard: is not found while it is frozen and accepts connections without answering', async () => {
    const { lookUp, probed, answer } = setUp(here)
    for (const [status, there] of [
      [undefined, false],
      [502, false],
      [404, true],
    ] as const) {
      answer(status)
      assert.equal((await lookUp(holder, route, undefined)) !== undefined, there)
    }
    assert.equal(probed.length, 3)
    assert.equal(probed[0], 'name:lab-alice@10.213.0.2 10.213.0.2:8888/ready')
  })

  it('is probed at most every ten seconds', async () => {
    const { time, lookUp, probed, answer } = setUp(here)
    for (let i = 0; i < 5; i += 1) {
      assert.ok(await lookUp(holder, route, undefined))
      await time.pass(2_000)
    }
    assert.equal(probed.length, 1)
    answer(undefined)
    assert.equal(await lookUp(holder, route, undefined), undefined)
    assert.equal(probed.length, 2)
  })

  it('is not found when its name belongs to another owner by now', async () => {
    const other = ownerAlias(workspace, 'u-alice-the-second')
    assert.equal(await lookup({ [workspace]: ['10.213.0.2'], [other]: ['10.213.0.2'] }), undefined)
  })

  it('is not found when its name and its owner’s alias resolve to different addresses', async () => {
    assert.equal(await lookup({ [workspace]: ['10.213.0.2'], [alias]: ['10.213.0.3'] }), undefined)
  })

  it('is found without an alias of its owner if it is the container that was granted to the person', async () => {
    const generation = 'c0ffee'.repeat(10) + 'beef'
    const last: Lease = {
      workspace,
      generation,
      address: { host: '10.213.0.2', port: 8888 },
      askedAt: 0,
      expiresAt: 1,
      byName: false,
    }
    const names = { [workspace]: ['10.213.0.2'], [generation.slice(0, 12)]: ['10.213.0.2'] }
    assert.equal((await lookup(names, last))?.generation, generation)
    assert.equal(await lookup(names), undefined, 'it was not granted to this seat')
    const another = { ...names, [generation.slice(0, 12)]: [] }
    assert.equal(await lookup(another, last), undefined, 'another container has the name by now')
    assert.equal(await lookup(names, { ...last, workspace: 'lab-bob' }), undefined)
  })

  it('is never a host outside the pool, as a wildcard in an upstream DNS would answer', async () => {
    for (const host of ['203.0.113.9', '127.0.0.1', '169.254.169.254', '10.214.0.2', '::1'])
      assert.equal(await lookup({ [workspace]: [host], [alias]: [host] }), undefined)
  })

  it('has the same generation as before if it has the same address', async () => {
    const last: Lease = {
      workspace,
      generation: 'g1',
      address: { host: '10.213.0.2', port: 8888 },
      askedAt: 0,
      expiresAt: 1,
      byName: false,
    }
    const names = { [workspace]: ['10.213.0.2'], [alias]: ['10.213.0.2'] }
    assert.equal((await lookup(names, last))?.generation, 'g1')
    const moved = { [workspace]: ['10.213.0.18'], [alias]: ['10.213.0.18'] }
    assert.notEqual((await lookup(moved, last))?.generation, 'g1')
  })
})
