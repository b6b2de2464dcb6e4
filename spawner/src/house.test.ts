import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createHouse } from './house.ts'
import { createOrders } from './orders.ts'
import { createMemoryStore } from './loop/testing/memory-store.ts'

describe('what administrators have ordered', () => {
  it('is kept, and is as before after a restart', () => {
    const store = createMemoryStore()
    let changes = 0
    const house = createHouse(createOrders(store), () => (changes += 1))
    house.close('lab', 'exam')
    house.maintain('new disks')
    house.announce('Welcome')
    const later = createHouse(createOrders(store), () => undefined)
    assert.deepEqual([...later.rules().closed], [['lab', 'exam']])
    assert.equal(later.rules().maintenance, 'new disks')
    assert.equal(later.message(), 'Welcome')
    later.close('lab', undefined)
    later.maintain(undefined)
    later.announce('')
    assert.deepEqual([...store.loadOrders()], [])
    assert.equal(changes, 3)
  })

  it('is not carried out if it cannot be kept', () => {
    const store = createMemoryStore()
    const house = createHouse(createOrders(store), () => assert.fail('nothing has changed'))
    store.fail(true)
    assert.throws(() => house.maintain('new disks'), /disk is full/)
    assert.equal(house.rules().maintenance, undefined)
  })
})
