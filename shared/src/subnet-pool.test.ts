import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  formatIpv4,
  formatSubnet,
  parseIpv4,
  parseSubnet,
  parseSubnetPool,
  poolContains,
  subnetAt,
  subnetCount,
  subnetsOverlap,
  type SubnetPool,
} from './subnet-pool.ts'

const pool = parseSubnetPool('10.213.0.0/16') as SubnetPool

describe('the pool of networks', () => {
  it('is divided into numbered /28 networks', () => {
    assert.equal(subnetCount(pool), 4096)
    assert.equal(formatSubnet(subnetAt(pool, 0)), '10.213.0.0/28')
    assert.equal(formatSubnet(subnetAt(pool, 17)), '10.213.1.16/28')
    assert.equal(formatSubnet(subnetAt(pool, 4095)), '10.213.255.240/28')
  })

  it('refuses text that is no network, and sizes that are too small or too large', () => {
    for (const text of [
      '',
      '10.213.0.0',
      '10.213.0.1/16',
      '10.0.0.0/7',
      '10.0.0.0/25',
      '10.0.0.256/16',
      'fd00::/8',
    ])
      assert.equal(parseSubnetPool(text), undefined, text)
  })

  it('contains its own addresses, also as IPv4-mapped IPv6', () => {
    for (const address of ['10.213.0.0', '10.213.255.255', '::ffff:10.213.3.4'])
      assert.ok(poolContains(pool, address), address)
    for (const address of ['10.212.255.255', '10.214.0.0', '127.0.0.1', '::1', 'lab-alice', ''])
      assert.ok(!poolContains(pool, address), address)
  })

  it('contains addresses at the upper end, where numbers exceed 31 bits', () => {
    const high = parseSubnetPool('224.0.0.0/8') as SubnetPool
    assert.ok(poolContains(high, '224.1.2.3'))
    assert.ok(!poolContains(high, '96.1.2.3'))
  })

  it('has no two networks that overlap', () => {
    const index = fc.integer({ min: 0, max: 4095 })
    fc.assert(
      fc.property(index, index, (a, b) => {
        assert.equal(subnetsOverlap(subnetAt(pool, a), subnetAt(pool, b)), a === b)
      }),
    )
  })

  it('overlaps a wide foreign network', () => {
    const wide = parseSubnet('10.208.0.0/12')
    assert.ok(wide && subnetsOverlap(wide, subnetAt(pool, 9)))
  })

  it('reads back every address it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (address) => {
        assert.equal(parseIpv4(formatIpv4(address)), address)
      }),
    )
  })
})
