import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ageText, clockText, estimateText, leftText, spanText } from './durations.ts'

describe('durations as text', () => {
  it('are written like a clock while they count', () => {
    const spans = [0, 999, 7_000, 61_000, 725_000, 3_725_000]
    assert.deepEqual(spans.map(clockText), ['0:00', '0:00', '0:07', '1:01', '12:05', '1:02:05'])
  })

  it('are written as the time that a step took', () => {
    const spans = [40, 400, 9_949, 9_950, 59_499, 59_500, 125_000]
    const told = ['0.0 s', '0.4 s', '9.9 s', '10 s', '59 s', '1:00 min', '2:05 min']
    assert.deepEqual(spans.map(spanText), told)
  })

  it('are rounded in an estimate', () => {
    const spans = [0, 9_999, 10_000, 49_999, 50_000, 118_000, 5_400_000, 7_200_000]
    assert.deepEqual(spans.map(estimateText), [
      'a few seconds',
      'a few seconds',
      'less than a minute',
      'less than a minute',
      'about a minute',
      'about 2 minutes',
      'about 90 minutes',
      'about 2 hours',
    ])
  })

  it('say how long it is until a moment', () => {
    const spans = [-1, 0, 49_999, 50_000, 720_000, 5_940_000, 7_200_000, 172_800_000]
    assert.deepEqual(spans.map(leftText), [
      'any moment now',
      'any moment now',
      'in less than a minute',
      'in a minute',
      'in 12 minutes',
      'in 99 minutes',
      'in 2 hours',
      'in 2 days',
    ])
  })

  it('say in a table how long something has lasted', () => {
    const spans = [-1, 59_999, 60_000, 3_599_999, 3_600_000, 11_100_000, 187_200_000]
    const told = ['< 1 min', '< 1 min', '1 min', '59 min', '1 h 0 min', '3 h 5 min', '2 d 4 h']
    assert.deepEqual(spans.map(ageText), told)
  })

  it('are written in the same way in the script of the pages', async () => {
    const there = (await import(new URL('./assets/durations.js', import.meta.url).href)) as {
      [Name in 'ageText' | 'clockText' | 'spanText' | 'estimateText' | 'leftText']: (
        ms: number,
      ) => string
    }
    for (let ms = 0; ms < 20_000_000; ms = Math.ceil(ms * 1.07) + 33) {
      assert.equal(there.clockText(ms), clockText(ms))
      assert.equal(there.spanText(ms), spanText(ms))
      assert.equal(there.estimateText(ms), estimateText(ms))
      assert.equal(there.leftText(ms), leftText(ms))
      assert.equal(there.ageText(ms * 40), ageText(ms * 40))
    }
  })
})
