import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { userOf } from '../../loop/testing/test-loop.ts'
import { createFormTokens } from './form-token.ts'

const hourMs = 3_600_000
const secret = new Secret('the internal secret of the tests')

function start() {
  const time = createFakeTime()
  return { time, tokens: createFormTokens(secret, time.clock) }
}

describe('the token of a form', () => {
  it('is accepted from the person for whom the form was rendered', () => {
    const { tokens } = start()
    assert.ok(tokens.accepts(userOf('alice'), tokens.give(userOf('alice'))))
  })

  it('is refused from another person, and from another one of that name', () => {
    const { tokens } = start()
    const token = tokens.give(userOf('alice'))
    assert.ok(!tokens.accepts(userOf('bob'), token))
    assert.ok(!tokens.accepts({ ...userOf('alice'), subject: 'u-other' }, token))
  })

  it('is refused once it is two hours old', () => {
    const { time, tokens } = start()
    const token = tokens.give(userOf('alice'))
    time.advance(hourMs)
    assert.ok(tokens.accepts(userOf('alice'), token))
    time.advance(hourMs)
    assert.ok(!tokens.accepts(userOf('alice'), token))
  })

  it('is refused if it was made with another secret, or is no token', () => {
    const { time, tokens } = start()
    const foreign = createFormTokens(new Secret('another-secret-of-the-tests'), time.clock)
    for (const token of [foreign.give(userOf('alice')), '', 'x', undefined, ['x'], {}])
      assert.ok(!tokens.accepts(userOf('alice'), token))
  })
})
