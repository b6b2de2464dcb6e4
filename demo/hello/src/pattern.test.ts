import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseRange } from './bytes.ts'
import { patternChunks, patternSha256 } from './pattern.ts'

const whole = Buffer.concat([...patternChunks(0, 500_000)])

test('returns the same bytes for a range as in the whole', () => {
  const bound = fc.integer({ min: 0, max: whole.length })
  fc.assert(
    fc.property(bound, bound, (one, other) => {
      const [start, end] = one < other ? [one, other] : [other, one]
      const part = Buffer.concat([...patternChunks(start, end)])
      assert.ok(part.equals(whole.subarray(start, end)))
    }),
  )
})

test('returns the checksum of the bytes', () => {
  assert.equal(patternSha256(0, 500_000), createHash('sha256').update(whole).digest('hex'))
})

test('reads ranges according to RFC 9110', () => {
  assert.deepEqual(parseRange('bytes=0-9', 100), { start: 0, end: 10 })
  assert.deepEqual(parseRange('bytes=90-', 100), { start: 90, end: 100 })
  assert.deepEqual(parseRange('bytes=-10', 100), { start: 90, end: 100 })
  assert.deepEqual(parseRange('bytes=50-999', 100), { start: 50, end: 100 })
  assert.equal(parseRange('bytes=100-', 100), 'unsatisfiable')
  assert.equal(parseRange('bytes=-', 100), undefined)
  assert.equal(parseRange('bytes=0-1,3-4', 100), undefined)
  assert.equal(parseRange(undefined, 100), undefined)
})
