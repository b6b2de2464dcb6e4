import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { guestOrigin } from '@berth/shared/guests'
import { Secret } from '@berth/shared/secret'
import { createGuestOfTcp } from './guest-of-tcp.ts'

const guestsWith = (secret: string) =>
  createGuestOfTcp({ internalSecret: new Secret(secret), randomBytes })

describe('a guest of TCP', () => {
  it('is one for each address, or /64 of IPv6, at every director of the same secret', () => {
    const of = (address: string, secret = 'one') => guestsWith(secret)(address, 'address')
    assert.deepEqual(of('192.0.2.1'), of('::ffff:192.0.2.1'))
    assert.deepEqual(of('2001:db8::1'), of('2001:db8::ffff'))
    assert.notEqual(of('192.0.2.1').name, of('192.0.2.2').name)
    assert.notEqual(of('192.0.2.1').subject, of('192.0.2.1', 'another').subject)
  })

  it('is one for each connection where the template says so, and all of an address are counted together', () => {
    const guests = guestsWith('one')
    const [first, second] = [guests('192.0.2.1', 'connection'), guests('192.0.2.1', 'connection')]
    assert.notEqual(first.name, second.name)
    assert.match(first.name, /^guest--/)
    assert.ok(guestOrigin(first))
    assert.equal(guestOrigin(first), guestOrigin(second))
    assert.equal(guestOrigin(first), guestOrigin(guests('192.0.2.1', 'address')))
  })
})
