import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { abortAfter } from './deadline.ts'

describe('a deadline', () => {
  it('aborts after a fraction of a millisecond, after zero, and for a time that has passed', async () => {
    for (const ms of [0.25, 4.5, 0, -3.7]) {
      const signal = abortAfter(ms)
      if (!signal.aborted) await once(signal, 'abort')
      assert.equal((signal.reason as Error).name, 'TimeoutError')
    }
  })

  it('does not abort at once for a time longer than a timer can wait', async () => {
    const signal = abortAfter(2 ** 33)
    const shorter = abortAfter(30)
    await once(shorter, 'abort')
    assert.equal(signal.aborted, false)
    assert.equal(abortAfter(Number.POSITIVE_INFINITY).aborted, false)
  })
})
