import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePrefix, parseUserName } from '@berth/shared/names'
import {
  mountPlaceholders,
  placeholderComplaint,
  placeholderValues,
  render,
  usesPlaceholder,
} from './placeholders.ts'

const prefix = parsePrefix('lab')
const name = parseUserName("Jack.O'Neil")
assert.ok(prefix !== undefined && name !== undefined)
const owner = { name, subject: 'u-jack', groups: [], email: 'jack@example.com' }
const lab = { name: 'lab', prefix, route: { hosts: [] } }
const values = placeholderValues(lab, owner, 'berth')

describe('placeholders', () => {
  it('are the safe name, the exact name and what surrounds them', () => {
    const text = render('{instance}/{template}/{user}/{workspace}/{base_path}', values)
    assert.match(text, /^berth\/lab\/(jack-o-neil--[a-z2-7]{10})\/lab-\1\/\/$/)
    assert.equal(render('{username} <{email}>', values), "Jack.O'Neil <jack@example.com>")
  })

  it('leave an e-mail address out where there is none', () => {
    const unknown = { name, subject: 'u-jack', groups: [] }
    assert.equal(render('<{email}>', placeholderValues(lab, unknown, 'b')), '<>')
  })

  it('tell the path that a workspace is served under: that of its route, where it is kept', () => {
    for (const [strip, path] of [
      [false, '/lab/'],
      [true, '/'],
    ] as const) {
      const route = { hosts: [], path: { prefix: '/lab', strip } }
      assert.equal(render('{base_path}', placeholderValues({ ...lab, route }, owner, 'b')), path)
    }
  })

  it('name nobody where there is no owner', () => {
    const nobody = placeholderValues(lab, undefined, 'berth')
    assert.equal(render('{instance}|{user}|{username}|{workspace}|{email}', nobody), 'berth||||')
  })

  it('take a doubled brace for a brace', () => {
    assert.equal(placeholderComplaint('{{"a": 1}}'), undefined)
    assert.equal(render('{{user}} is {template}', values), '{user} is lab')
  })

  it('are refused when unknown, unclosed, or not allowed there', () => {
    assert.match(placeholderComplaint('{nobody}') ?? '', /unknown placeholder \{nobody\}/)
    assert.match(placeholderComplaint('a {user') ?? '', /not closed/)
    assert.match(placeholderComplaint('{__proto__}') ?? '', /unknown/)
    for (const free of ['{username}', '{email}'])
      assert.match(placeholderComplaint(free, mountPlaceholders) ?? '', /may not contain/)
    assert.equal(placeholderComplaint('{user}-{workspace}', mountPlaceholders), undefined)
  })

  it('cannot be brought in by a value: what people choose is not read again', () => {
    const wily = parseUserName('{email}')
    assert.ok(wily !== undefined)
    const mine = placeholderValues(lab, { ...owner, name: wily }, 'berth')
    assert.equal(render('{username}', mine), '{email}')
  })

  it('are told apart from doubled braces when looked for', () => {
    assert.ok(usesPlaceholder('{instance}-{user}-home', 'user', 'workspace'))
    assert.ok(!usesPlaceholder('{{user}}', 'user', 'workspace'))
  })
})
