import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { lineOf } from './chart.ts'

describe('the line of a chart', () => {
  it('ends at the right, and leaves the minutes before the first value empty', () => {
    assert.equal(lineOf([0, 50, 100], 100)?.points, '115.9,23 118,12 120,1')
  })

  it('shows at most an hour, and nothing above its upper edge', () => {
    const points =
      lineOf(
        Array.from({ length: 90 }, () => 500),
        100,
      )?.points.split(' ') ?? []
    assert.equal(points.length, 60)
    assert.equal(points[0], '0,1')
  })

  it('needs two values', () => {
    assert.equal(lineOf([1], 1), undefined)
    assert.equal(lineOf([0, 0], 0)?.points, '118,23 120,23')
  })
})
