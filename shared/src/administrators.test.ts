import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseUserName } from './names.ts'
import { isAdministrator } from './administrators.ts'

const administrators = { group: 'admins', users: ['Ann', 'ben@example.com'] }

function ask(name: string, groups: string[]): boolean {
  const parsed = parseUserName(name)
  assert.ok(parsed !== undefined)
  return isAdministrator({ name: parsed, groups }, administrators)
}

describe('an administrator', () => {
  it('is a member of the group, or named', () => {
    assert.equal(ask('carol', ['staff', 'admins']), true)
    assert.equal(ask('Ann', []), true)
    assert.equal(ask('ben@example.com', ['staff']), true)
  })

  it('hazard: a name or a group that only looks like one: is none', () => {
    assert.equal(ask('carol', ['staff']), false)
    assert.equal(ask('admins', []), false)
    assert.equal(ask('ann', []), false)
    assert.equal(ask('ben', []), false)
    for (const group of ['admin', 'Admins', 'admins ', '/admins', 'ann', 'Ann'])
      assert.equal(ask('carol', [group]), false, group)
  })
})
