import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { clientOf, parseNetwork, plainAddress } from './networks.ts'

function network(text: string) {
  const found = parseNetwork(text)
  assert.ok(found, text)
  return found
}

describe('a network', () => {
  it('contains its addresses, and an IPv4 address in the form of IPv6, too', () => {
    const net = network('192.0.2.0/24')
    for (const address of ['192.0.2.0', '192.0.2.255', '::ffff:192.0.2.7'])
      assert.ok(net.contains(address), address)
    for (const address of ['192.0.3.0', '::1', '', 'nonsense', '::c000:207'])
      assert.ok(!net.contains(address), address)
  })

  it('is one address if there are no bits', () => {
    assert.ok(network('2001:db8::1').contains('2001:0db8:0::1'))
    assert.ok(!network('2001:db8::1').contains('2001:db8::2'))
    assert.ok(network('10.0.0.1').contains('10.0.0.1'))
  })

  it('of IPv6 contains no IPv4 address, and the other way round', () => {
    assert.ok(!network('::/0').contains('192.0.2.1'))
    assert.ok(!network('0.0.0.0/0').contains('2001:db8::1'))
  })

  it('overlaps another one if an address is in both', () => {
    const pairs = [
      ['10.0.0.0/8', '10.1.0.0/16', true],
      ['10.1.2.3', '10.0.0.0/8', true],
      ['10.0.0.77/24', '10.0.0.0/25', true],
      ['10.0.0.0/24', '10.0.1.0/24', false],
      ['::/0', '10.0.0.0/8', false],
    ] as const
    for (const [one, other, expected] of pairs) {
      assert.equal(network(one).overlaps(network(other)), expected, `${one} ${other}`)
      assert.equal(network(other).overlaps(network(one)), expected, `${other} ${one}`)
    }
  })

  it('is refused if it is something else', () => {
    const wrong = ['', 'alice', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0/8', '1.2.3.4/8/8']
    for (const text of [...wrong, 'fe80::1%eth0', '10.0.0.0/-1', '10.0.0.0/0x8', ' 10.0.0.1'])
      assert.equal(parseNetwork(text), undefined, text)
  })
})

describe('an address', () => {
  it('of IPv4 is the same in each form of IPv6', () => {
    for (const text of ['::ffff:192.0.2.7', '::FFFF:c000:207', '0:0:0:0:0:ffff:c000:0207'])
      assert.equal(plainAddress(text), '192.0.2.7', text)
    for (const text of ['192.0.2.7', '2001:db8::7', '::c000:207', '::', 'fe80::1%eth0', 'x', ''])
      assert.equal(plainAddress(text), text)
  })

  it('hazard: a host with a network of IPv6 is one client, whichever of its addresses it takes', () => {
    for (const text of ['2001:db8::7', '2001:DB8:0:0:ffff::1', '2001:db8:0:0:1:2:3:4'])
      assert.equal(clientOf(text), '2001:db8:0:0::/64', text)
    assert.equal(clientOf('2001:db8:0:1::7'), '2001:db8:0:1::/64')
    assert.equal(clientOf('::1'), '0:0:0:0::/64')
    for (const text of ['192.0.2.7', '::ffff:192.0.2.7']) assert.equal(clientOf(text), '192.0.2.7')
    assert.equal(clientOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
    for (const text of ['x', '']) assert.equal(clientOf(text), text)
  })
})
