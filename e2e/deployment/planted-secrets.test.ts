// The search for planted secrets finds what it should. Needs no deployment.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { plant, plantSettings, secretsIn } from './planted-secrets.ts'

describe('the search for planted secrets', () => {
  it('finds each in a log, as it is or percent-encoded, and does not repeat it', () => {
    plant('session', 'a session|of alice')
    plantSettings({ API_TOKEN: 'a token of the tests', INSTANCE: 'no secret, though long' })
    const log = 'started\n{"path":"/?s=a%20session%7Cof%20alice"}\n{"v":"no secret, though long"}\n'
    assert.deepEqual(secretsIn(log), ['session: {"path":"/?s=***"}'])
    assert.deepEqual(secretsIn('{"authorization":"Bearer a token of the tests"}'), [
      'API_TOKEN: {"authorization":"Bearer ***"}',
    ])
    assert.deepEqual(secretsIn('{"message":"request ended"}'), [])
  })
})
