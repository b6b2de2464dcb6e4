import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { createGlob } from './glob.ts'

describe('a pattern with *', () => {
  it('matches as the regular expression of the same meaning', () => {
    const short = fc.string({ unit: fc.constantFrom('a', 'b', '/', '.'), maxLength: 8 })
    const pattern = fc.array(fc.constantFrom('a', 'b', '/', '.', '*'), { maxLength: 8 })
    fc.assert(
      fc.property(pattern, short, (parts, text) => {
        const source = parts.map((part) =>
          part === '*' ? '.*' : `\\u{${part.charCodeAt(0).toString(16)}}`,
        )
        const expected = new RegExp(`^${source.join('')}$`, 'su').test(text)
        assert.equal(createGlob(parts.join(''))(text), expected)
      }),
      { numRuns: 5_000 },
    )
  })

  it('takes linear time for a pattern on which a regular expression backtracks', () => {
    const matches = createGlob('a*a*a*a*a*a*a*a*a*a*b')
    const began = performance.now()
    assert.equal(matches('a'.repeat(100_000)), false)
    assert.ok(performance.now() - began < 2_000)
  })
})
