import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { guestOf, guestOrigin } from './guests.ts'
import { isGuestName, parseUserName, type UserName } from './names.ts'

describe('guests', () => {
  it('are named guest-- and ten characters, and differ by their id', () => {
    const one = guestOf({ origin: 'here', id: 'one' })
    const other = guestOf({ origin: 'here', id: 'other' })
    assert.match(one.name, /^guest--[0189][a-z2-7]{9}$/)
    assert.notEqual(one.name, other.name)
    assert.deepEqual(guestOf({ origin: 'here', id: 'one' }), one)
    assert.equal(parseUserName(one.name), one.name)
    assert.ok(isGuestName(one.name))
  })

  it('are counted by the origin that their subject begins with', () => {
    assert.equal(guestOrigin(guestOf({ origin: 'here', id: 'one' })), 'here')
    const ann = { name: 'ann' as UserName, subject: 'here.one', groups: [] }
    assert.equal(guestOrigin(ann), undefined)
  })

  it('have no origin or id that could be read as another one', () => {
    for (const [origin, id] of [
      ['a.b', 'c'],
      ['', 'c'],
      ['a', 'b.c'],
      ['a', ''],
    ] as const)
      assert.throws(() => guestOf({ origin, id }), TypeError)
  })
})
