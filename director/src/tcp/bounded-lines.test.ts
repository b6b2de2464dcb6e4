import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createBoundedLines } from './bounded-lines.ts'

describe('the lines about clients that nobody knows', () => {
  it('are bounded in each period, and the next one tells how many there were besides', () => {
    const time = createFakeTime()
    const told: number[] = []
    const lines = createBoundedLines({
      most: 2,
      periodMs: 1_000,
      clock: time.clock,
      leftOut: (count) => told.push(count),
    })
    assert.deepEqual(
      [lines.take(), lines.take(), lines.take(), lines.take()],
      [true, true, false, false],
    )
    time.advance(999)
    assert.equal(lines.take(), false)
    time.advance(1)
    assert.deepEqual([lines.take(), told], [true, [3]])
    time.advance(5_000)
    assert.deepEqual([lines.take(), told], [true, [3]])
  })
})
