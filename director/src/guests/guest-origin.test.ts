import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseNetwork } from '@berth/shared/networks'
import { Secret } from '@berth/shared/secret'
import { addressOf, createGuestOriginOf } from './guest-origin.ts'

const proxies = ['10.0.0.0/8', 'fc00::/7'].flatMap((text) => parseNetwork(text) ?? [])
const forwarded = (...values: string[]) => values.flatMap((value) => ['X-Forwarded-For', value])

describe('the address of a guest', () => {
  it('is that of the connection, unless a proxy of the settings tells another', () => {
    for (const [remoteAddress, rawHeaders, address] of [
      ['192.0.2.1', forwarded('198.51.100.7'), '192.0.2.1'],
      ['::ffff:192.0.2.1', [], '192.0.2.1'],
      ['10.1.2.3', forwarded('198.51.100.7'), '198.51.100.7'],
      ['::ffff:10.1.2.3', forwarded('198.51.100.7'), '198.51.100.7'],
      ['fd00::1', forwarded('2001:db8::7'), '2001:db8::7'],
      ['10.1.2.3', [], '10.1.2.3'],
      ['10.1.2.3', forwarded(' , '), '10.1.2.3'],
    ] as const)
      assert.equal(addressOf({ remoteAddress, rawHeaders }, proxies), address)
  })

  it('is the one that the proxy added last, whatever the client wrote before it', () => {
    for (const rawHeaders of [
      forwarded('203.0.113.9, 198.51.100.7'),
      forwarded('203.0.113.9', '198.51.100.7'),
    ])
      assert.equal(addressOf({ remoteAddress: '10.1.2.3', rawHeaders }, proxies), '198.51.100.7')
  })

  it('is kept as a hash that only the services can compute, one for a /64 of IPv6', () => {
    const originOf = (secret: string, remoteAddress: string) =>
      createGuestOriginOf({ proxies, internalSecret: new Secret(secret) })({
        remoteAddress,
        rawHeaders: [],
      })
    assert.match(originOf('one', '192.0.2.1'), /^[\w-]{16}$/)
    assert.equal(originOf('one', '192.0.2.1'), originOf('one', '192.0.2.1'))
    assert.notEqual(originOf('one', '192.0.2.1'), originOf('one', '192.0.2.2'))
    assert.notEqual(originOf('one', '192.0.2.1'), originOf('other', '192.0.2.1'))
    assert.equal(originOf('one', '2001:db8::1'), originOf('one', '2001:db8::2'))
  })
})
