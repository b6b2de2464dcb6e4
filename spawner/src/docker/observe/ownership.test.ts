import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseSubnet, parseSubnetPool } from '@berth/shared/subnet-pool'
import { overlappedIndexes } from '../networks/classify-networks.ts'
import { isOurs, networkIndex, networkName, reservedLabel } from './ownership.ts'

describe('the owner of a thing on the engine', () => {
  it('is our instance if the label of the instance says so', () => {
    assert.ok(isOurs('berth', { 'berth.instance': 'berth' }))
    assert.ok(!isOurs('berth', { 'berth.instance': 'berth2' }))
    assert.ok(!isOurs('berth', null) && !isOurs('berth', {}))
  })

  it('is in doubt if the image has a reserved label; labels that describe an image are not reserved', () => {
    assert.equal(reservedLabel({ 'berth.workspace': 'x' }), 'berth.workspace')
    assert.equal(reservedLabel({ 'berth.image.port': '80', 'orca.kind': 'web' }), undefined)
    assert.equal(reservedLabel(null), undefined)
  })
})

describe('the name of a network', () => {
  it('contains its index, and sorts after the name of the front network', () => {
    assert.equal(networkIndex('berth', networkName('berth', 42)), 42)
    assert.equal(networkIndex('berth', 'berth-ws-front'), undefined)
    assert.equal(networkIndex('berth', 'berth-ws-00042-old'), undefined)
    assert.equal(networkIndex('berth', 'berth2-ws-00042'), undefined)
    assert.ok('berth-front' < networkName('berth', 0))
  })
})

describe('the indexes that foreign networks overlap', () => {
  const pool = parseSubnetPool('10.213.0.0/24')
  assert.ok(pool)
  const numbers = (...subnets: string[]) =>
    overlappedIndexes(
      pool,
      subnets.map((text) => {
        const subnet = parseSubnet(text)
        assert.ok(subnet)
        return subnet
      }),
    )

  it('are found for larger, equal and smaller subnets', () => {
    assert.deepEqual(numbers('10.213.0.16/28'), [1])
    assert.deepEqual(numbers('10.213.0.24/30'), [1])
    assert.deepEqual(numbers('10.213.0.32/27'), [2, 3])
    assert.equal(numbers('10.0.0.0/8').length, 16)
    assert.deepEqual(numbers('10.213.0.0/28', '10.213.0.0/30', '10.213.0.240/28'), [0, 15])
  })

  it('are none for subnets outside the pool', () => {
    assert.deepEqual(numbers('10.213.1.0/24', '172.17.0.0/16', '10.212.0.0/16'), [])
  })
})
