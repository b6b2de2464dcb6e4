import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { UserName } from '@berth/shared/names'
import { findKey, parseAuthorizedKeys } from './authorized-keys.ts'
import { keysFileName, parseLoginName } from './login-name.ts'

const keyOf = (type: string, content = 'content'): string => {
  const text = (value: string) => {
    const bytes = Buffer.from(value)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    return Buffer.concat([length, bytes])
  }
  return Buffer.concat([text(type), text(content)]).toString('base64')
}
const ed = `ssh-ed25519 ${keyOf('ssh-ed25519')}`
const blob = Buffer.from(keyOf('ssh-ed25519'), 'base64')
const here = { address: '192.0.2.7', now: Date.parse('2030-06-01T12:00:00Z') }
const admits = (text: string, client: Partial<typeof here> = {}) =>
  findKey(parseAuthorizedKeys(text), blob, { ...here, ...client })

describe('authorized_keys', () => {
  it('admits the keys of its lines, and no other', () => {
    assert.ok(admits(`# mine\n\n${ed} alice@laptop\n`))
    assert.ok(admits(`ssh-rsa ${keyOf('ssh-rsa')}\r\n${ed}\r\n`))
    assert.equal(admits(`ssh-ed25519 ${keyOf('ssh-ed25519', 'another')}`), undefined)
    assert.equal(admits(''), undefined)
    assert.equal(admits(`#${ed}`), undefined)
  })

  it('admits a key only from where its line says', () => {
    for (const from of [
      '192.0.2.7',
      '192.0.2.*',
      '10.0.0.0/8,192.0.2.0/24',
      '192.0.2.?',
      '*,!192.0.2.8',
    ])
      assert.ok(admits(`from="${from}" ${ed}`), from)
    for (const from of [
      '192.0.2.8',
      '192.0.20.7',
      '192.0.2.8/32',
      '*,!192.0.2.7',
      '!192.0.2.8',
      '192x0x2x7',
      '192.0.2.0/33',
      'laptop.example.com',
      '::/0',
    ])
      assert.equal(admits(`from="${from}" ${ed}`), undefined, from)
    assert.ok(admits(`from="2001:db8::/32" ${ed}`, { address: '2001:db8::1' }))
    assert.ok(admits(`from="192.0.2.0/24" ${ed}`, { address: '::ffff:192.0.2.7' }))
  })

  it('admits a key only until it expires', () => {
    for (const time of ['20300602', '20300601120100Z', '203006011201Z'])
      assert.ok(admits(`expiry-time="${time}" ${ed}`), time)
    for (const time of [
      '20300531',
      '20300601120000Z',
      '203006011159Z',
      '20300602","expiry-time=20300531',
    ])
      assert.equal(admits(`expiry-time="${time}" ${ed}`), undefined, time)
  })

  it('knows which keys get no terminal', () => {
    assert.equal(admits(`${ed}`)?.mayHaveTerminal, true)
    assert.equal(admits(`restrict ${ed}`)?.mayHaveTerminal, false)
    assert.equal(admits(`restrict,pty ${ed}`)?.mayHaveTerminal, true)
    assert.equal(admits(`no-pty,permitopen="db:5432" ${ed}`)?.mayHaveTerminal, false)
  })

  it('admits nobody by a line that it does not understand, and says which', () => {
    const lines = [
      `command="/bin/true" ${ed}`,
      `cert-authority ${ed}`,
      `unheard-of="a,b c" ${ed}`,
      `expiry-time="tomorrow" ${ed}`,
      `from="10.0.0.1",from="10.0.0.2" ${ed}`,
      `from="${ed}`,
      `from= ${ed}`,
      'ssh-ed25519 AAAA',
      `ssh-rsa ${keyOf('ssh-ed25519')}`,
      `sk-ssh-ed25519@openssh.com ${keyOf('sk-ssh-ed25519@openssh.com')}`,
      'nonsense',
    ]
    const { keys, complaints } = parseAuthorizedKeys(lines.join('\n'))
    assert.deepEqual(keys, [])
    assert.deepEqual(
      complaints.map(({ line }) => line),
      lines.map((_, index) => index + 1),
    )
    assert.match(complaints[0]?.complaint ?? '', /option command/)
  })
})

describe('the name of a login', () => {
  it('is a user name, and a template after the last plus', () => {
    assert.deepEqual(parseLoginName('alice'), { user: 'alice' })
    assert.deepEqual(parseLoginName('alice+lab'), { user: 'alice', template: 'lab' })
    assert.deepEqual(parseLoginName('a+b@x.org+lab'), { user: 'a+b@x.org', template: 'lab' })
    assert.deepEqual(parseLoginName('+lab'), { user: '+lab' })
    assert.equal(parseLoginName(''), undefined)
  })

  it('leads to no file outside the folder of keys', () => {
    assert.equal(keysFileName('alice@example.com' as UserName), 'alice@example.com')
    for (const name of [
      '..',
      '.',
      '.ssh',
      '../alice',
      'a/b',
      '/etc/passwd',
      'a\\b',
      'a\0b',
      'a\nb',
    ])
      assert.equal(keysFileName(name as UserName), undefined, name)
  })
})
