import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { describeError } from './log.ts'

describe('an error in the log', () => {
  it('has no stack if a connection was refused: the place in our code explains nothing', async () => {
    // No server listens on port 1 of loopback.
    const error = await new Promise((resolve) => connect(1, '127.0.0.1').once('error', resolve))
    assert.deepEqual(describeError(error), {
      type: 'Error',
      message: 'connect ECONNREFUSED 127.0.0.1:1',
      code: 'ECONNREFUSED',
    })
  })

  it('has a message also when several addresses were tried, for which Node gives none', () => {
    const error = Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' })
    const { message } = describeError(error)
    assert.equal(message, 'ECONNREFUSED')
  })

  it('keeps its stack if it is a fault in the code', () => {
    const faults = [
      new TypeError('not a function'),
      Object.assign(new Error('x'), { code: 'ERR_INVALID_ARG_TYPE' }),
    ]
    for (const fault of faults) assert.match(describeError(fault).stack ?? '', /log\.test\.ts/)
  })
})
