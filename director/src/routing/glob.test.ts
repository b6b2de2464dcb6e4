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

  it('takes {name} for one segment of a path that is not empty, as the regular expression of the same meaning', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 12 })
    const pattern = fc
      .array(fc.constantFrom('a', '*', '/', '/{id}', '/{id}/'), { maxLength: 7 })
      .map((parts) => parts.join(''))
    fc.assert(
      fc.property(pattern, text, (written, path) => {
        const source = written
          .replace(/(?<=\/)\{id\}(?=\/|$)/g, '[^/]+')
          .replace(/[{}]/g, '\\$&')
          .replaceAll('*', '.*')
        assert.equal(createGlob(written)(path), new RegExp(`^${source}$`, 's').test(path))
      }),
      { numRuns: 20_000 },
    )
  })

  it('matches one kernel, and not what is below it', () => {
    const matches = createGlob('/api/kernels/{id}')
    assert.deepEqual(
      ['/api/kernels/7f-3', '/api/kernels/', '/api/kernels', '/api/kernels/7f-3/channels'].map(
        matches,
      ),
      [true, false, false, false],
    )
    assert.equal(createGlob('/*/kernels/{id}/channels')('/a/b/kernels/7/channels'), true)
  })

  it('takes linear time for many segments', () => {
    const matches = createGlob('*/{a}/x*/{b}/x*/{c}/x*/{d}/y')
    const began = performance.now()
    assert.equal(matches(`${'/a'.repeat(50_000)}/${'a'.repeat(50_000)}/x`), false)
    assert.ok(performance.now() - began < 2_000)
  })

  it('takes linear time for a pattern on which a regular expression backtracks', () => {
    const matches = createGlob('a*a*a*a*a*a*a*a*a*a*b')
    const began = performance.now()
    assert.equal(matches('a'.repeat(100_000)), false)
    assert.ok(performance.now() - began < 2_000)
  })
})
