import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatDuration, parseDuration } from './duration.ts'
import { parseSize } from './size.ts'

describe('durations', () => {
  it('are parsed as in Go and Compose', () => {
    for (const [text, ms] of [
      ['500ms', 500],
      ['15m', 900_000],
      ['1h30m', 5_400_000],
      ['1.5s', 1_500],
      ['0.5ms', 1],
      ['0.0001s', 1],
      ['2d', 172_800_000],
      ['0', 0],
      ['0s', 0],
    ] as const)
      assert.equal(parseDuration(text), ms, text)
  })

  it('are refused without a unit, with a sign, or with other characters between', () => {
    for (const text of ['', '15', '-5m', '5 m', '1h x', 'm', '1e3s', '5M'])
      assert.equal(parseDuration(text), undefined, text)
  })

  it('are written in at most two units', () => {
    for (const [ms, text] of [
      [400, '400ms'],
      [12_300, '12s'],
      [5_400_000, '1h 30m'],
      [90_061_000, '1d 1h'],
    ] as const)
      assert.equal(formatDuration(ms), text)
  })
})

describe('sizes', () => {
  it('are parsed as in Docker, with and without iB', () => {
    for (const [text, bytes] of [
      ['512m', 536_870_912],
      ['512MiB', 536_870_912],
      ['2g', 2_147_483_648],
      ['1.5GB', 1_610_612_736],
      ['100', 100],
      ['0', 0],
    ] as const)
      assert.equal(parseSize(text), bytes, text)
  })

  it('are refused when they cannot be parsed', () => {
    for (const text of ['', 'm', '-1m', '1x', '1 2', '5 apples', '9999999999t', '9'.repeat(400)])
      assert.equal(parseSize(text), undefined, text)
  })
})
