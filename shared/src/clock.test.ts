import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createClock } from './clock.ts'

describe('the wall time of a moment', () => {
  it('is the same at each call, although the wall clock ticks at another rate', () => {
    let now = 0.25
    let rate = 1
    const clock = createClock(
      () => now,
      () => Math.floor(1_700_000_000_000 + now * rate),
    )
    const moment = 90_000.7499
    const first = clock.wallOf(moment)
    rate = 1.0001
    for (; now < 60_000; now += 997.13) assert.equal(clock.wallOf(moment), first)
  })

  it('follows the wall clock when that jumps', () => {
    let wall = 1_000_000
    const clock = createClock(
      () => 500,
      () => wall,
    )
    assert.equal(clock.wallOf(1_500), 1_001_000)
    wall += 3_600_000
    assert.equal(clock.wallOf(1_500), 4_601_000)
  })
})
