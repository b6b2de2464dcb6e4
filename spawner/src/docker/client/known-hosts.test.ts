import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { isKnownHost } from './known-hosts.ts'

const key = Buffer.from('the key of the host')
const other = Buffer.from('the key of an attacker in between')
const line = (names: string, of = key) => `${names} ssh-ed25519 ${of.toString('base64')} comment\n`

function hashed(name: string): string {
  const salt = Buffer.from('twenty bytes of salt')
  const digest = createHmac('sha1', salt).update(name).digest('base64')
  return `|1|${salt.toString('base64')}|${digest}`
}

describe('the key of a host', () => {
  it('is found by name, in a list of names, with a port, and by a hashed name', () => {
    assert.ok(isKnownHost(line('engine'), 'engine', 22, key))
    assert.ok(isKnownHost(`# mine\n${line('a,engine,10.0.0.1')}`, 'engine', 22, key))
    assert.ok(isKnownHost(line('[engine]:2222'), 'engine', 2222, key))
    assert.ok(isKnownHost(line(hashed('engine')), 'engine', 22, key))
  })

  it('is rejected if the key, the host or the port differs, or if there is no entry', () => {
    assert.ok(!isKnownHost(line('engine'), 'engine', 22, other))
    assert.ok(!isKnownHost(line('engine'), 'engine.example', 22, key))
    assert.ok(!isKnownHost(line('engine'), 'engine', 2222, key))
    assert.ok(!isKnownHost(line(hashed('other')), 'engine', 22, key))
    assert.ok(!isKnownHost('', 'engine', 22, key))
    assert.ok(!isKnownHost('|1|broken\n', 'engine', 22, key))
  })

  it('is rejected if it is marked as revoked', () => {
    assert.ok(!isKnownHost(line('engine') + `@revoked ${line('*')}`, 'engine', 22, key))
  })
})
