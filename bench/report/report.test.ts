import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { worseThan } from './baseline.ts'
import { caseOf, median, quantile } from './case.ts'
import { tableOf } from './table.ts'

const rounds = [
  { ours: 110, reference: 100 },
  { ours: 130, reference: 100 },
  { ours: 240, reference: 200 },
]

describe('a compared figure', () => {
  it('has the median of the ratios of its rounds, and half their range', () => {
    const { ours, reference, ratio, spread } = caseOf('x', 'ms', rounds, { ratioAtMost: 2 })
    assert.deepEqual([ours, reference, ratio], [130, 100, 1.2])
    assert.ok(Math.abs(spread - 0.1) < 1e-9)
  })

  for (const [target, holds] of [
    [{ ratioAtLeast: 1.2 }, true],
    [{ ratioAtLeast: 1.21 }, false],
    [{ ratioAtMost: 1.2 }, true],
    [{ ratioAtMost: 1.19 }, false],
    [{ moreByAtMost: 30 }, true],
    [{ moreByAtMost: 29 }, false],
  ] as const)
    it(`${holds ? 'holds' : 'misses'} ${JSON.stringify(target)}`, () => {
      assert.equal(caseOf('x', 'ms', rounds, target).holds, holds)
    })

  it('needs a round', () => {
    assert.throws(() => caseOf('x', 'ms', [], { ratioAtMost: 1 }), RangeError)
  })
})

describe('a quantile', () => {
  it('lies between the two nearest values', () => {
    assert.equal(median([4, 1, 3]), 3)
    assert.equal(median([4, 1, 3, 2]), 2.5)
    assert.equal(quantile([10, 20], 0.95), 19.5)
    assert.throws(() => median([]), RangeError)
  })
})

describe('what was recorded', () => {
  const more = caseOf('more', '/s', [{ ours: 80, reference: 100 }], { ratioAtLeast: 1 })
  const less = caseOf('less', 'ms', [{ ours: 120, reference: 100 }], { ratioAtMost: 1 })

  it('is compared by what is better, and with the spread', () => {
    assert.equal(worseThan([{ case: 'more', ratio: 0.85, spread: 0.06 }], [more]).length, 0)
    assert.match(worseThan([{ case: 'more', ratio: 0.85, spread: 0.01 }], [more])[0] ?? '', /more/)
    assert.match(worseThan([{ case: 'less', ratio: 1.1, spread: 0.01 }], [less])[0] ?? '', /less/)
    assert.deepEqual(worseThan([{ case: 'less', ratio: 1.3, spread: 0 }], [less]), [])
    assert.deepEqual(worseThan([], [more, less]), [], 'a new case has nothing to be worse than')
  })

  it('is shown as a table', () => {
    assert.match(
      tableOf([more]),
      /\| more +\| 80\.0 \/s +\| 100 \/s +\| 0\.80x ± 0\.00 +\| ≥ 1x +\| missed +\|/,
    )
  })
})
