import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseUserName } from '@berth/shared/names'
import { createPersonLimits } from './person-limits.ts'

const alice = parseUserName('alice')
const bob = parseUserName('bob')
assert(alice !== undefined && bob !== undefined)

describe('limits per person', () => {
  it('count requests and WebSockets together, and WebSockets also alone', () => {
    const limits = createPersonLimits({ maxConnections: 3, maxWebSockets: 1 })
    assert.ok(!('limit' in limits.take(alice, true)))
    assert.deepEqual(limits.take(alice, true), { limit: 1 })
    assert.ok(!('limit' in limits.take(alice, false)))
    assert.ok(!('limit' in limits.take(alice, false)))
    assert.deepEqual(limits.take(alice, false), { limit: 3 })
    assert.ok(!('limit' in limits.take(bob, true)))
  })

  it('release the place of a request that has ended', () => {
    const limits = createPersonLimits({ maxConnections: 1, maxWebSockets: 1 })
    for (let turn = 0; turn < 3; turn += 1) {
      const taken = limits.take(alice, true)
      assert(!('limit' in taken))
      assert.ok('limit' in limits.take(alice, false))
      taken[Symbol.dispose]()
    }
  })

  it('are off at 0', () => {
    const limits = createPersonLimits({ maxConnections: 0, maxWebSockets: 0 })
    for (let count = 0; count < 5_000; count += 1) assert.ok(!('limit' in limits.take(alice, true)))
  })
})
