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
  it('give the safe name, the exact name, the template and the instance', () => {
    const text = render('{instance}/{template}/{user}/{workspace}/{base_path}', values)
    assert.match(text, /^berth\/lab\/(jack-o-neil--[a-z2-7]{10})\/lab-\1\/\/$/)
    assert.equal(render('{username} <{email}>', values), "Jack.O'Neil <jack@example.com>")
  })

  it('are empty for the e-mail address of a person without one', () => {
    const unknown = { name, subject: 'u-jack', groups: [] }
    assert.equal(render('<{email}>', placeholderValues(lab, unknown, 'b')), '<>')
  })

  it('give the path of the route, or / if the director strips that path', () => {
    for (const [strip, path] of [
      [false, '/lab/'],
      [true, '/'],
    ] as const) {
      const route = { hosts: [], path: { prefix: '/lab', strip } }
      assert.equal(render('{base_path}', placeholderValues({ ...lab, route }, owner, 'b')), path)
    }
  })

  it('give the path of the route without a slash at its end, kept or stripped, and nothing at the root', () => {
    for (const [path, prefix] of [
      [{ prefix: '/lab', strip: false }, '/lab'],
      [{ prefix: '/lab', strip: true }, '/lab'],
      [undefined, ''],
    ] as const) {
      const route = { hosts: [], ...(path === undefined ? {} : { path }) }
      assert.equal(
        render('<{prefix}>', placeholderValues({ ...lab, route }, owner, 'b')),
        `<${prefix}>`,
      )
    }
  })

  it('give the address that people have in their browser, with its port', () => {
    const there = { ...lab, origin: 'https://lab.example.com:8443' }
    assert.equal(
      render('{host} {origin}', placeholderValues(there, owner, 'b')),
      'lab.example.com:8443 https://lab.example.com:8443',
    )
  })

  it('are empty for a workspace without an owner', () => {
    const withoutOwner = placeholderValues(lab, undefined, 'berth')
    assert.equal(
      render('{instance}|{user}|{username}|{workspace}|{email}', withoutOwner),
      'berth||||',
    )
  })

  it('treat a doubled brace as a brace', () => {
    assert.equal(placeholderComplaint('{{"a": 1}}'), undefined)
    assert.equal(render('{{user}} is {template}', values), '{user} is lab')
  })

  it('are refused if they are unknown, unclosed, or not allowed in the field', () => {
    assert.match(placeholderComplaint('{nobody}') ?? '', /unknown placeholder \{nobody\}/)
    assert.match(placeholderComplaint('a {user') ?? '', /not closed/)
    assert.match(placeholderComplaint('{__proto__}') ?? '', /unknown/)
    for (const free of ['{username}', '{email}'])
      assert.match(placeholderComplaint(free, mountPlaceholders) ?? '', /may not contain/)
    assert.equal(placeholderComplaint('{user}-{workspace}', mountPlaceholders), undefined)
  })

  it('are not replaced in a value: a name that looks like a placeholder stays as it is', () => {
    const wily = parseUserName('{email}')
    assert.ok(wily !== undefined)
    const mine = placeholderValues(lab, { ...owner, name: wily }, 'berth')
    assert.equal(render('{username}', mine), '{email}')
  })

  it('are not found in doubled braces', () => {
    assert.ok(usesPlaceholder('{instance}-{user}-home', 'user', 'workspace'))
    assert.ok(!usesPlaceholder('{{user}}', 'user', 'workspace'))
  })
})
