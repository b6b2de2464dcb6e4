import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { newRequestId, parseRequestId } from './request-id.ts'

describe('the id of a request', () => {
  it('is one that a proxy makes', () => {
    for (const id of [
      newRequestId(),
      '0af7651916cd43dd8448eb211c80319c',
      'Zx@4sH8AAAEAADs-3kQAAAAB',
      'Root=1-67891233-abcdef012345678912345678',
      'a'.repeat(128),
    ])
      assert.equal(parseRequestId([id]), id)
  })

  it('hazard: is not taken over if it could forge a log line, flood the log, or is one of two', () => {
    for (const values of [
      [],
      [''],
      ['a b'],
      ['a\nb'],
      ['{"a":1}'],
      ['a"'],
      ['ü'],
      ['a'.repeat(129)],
      ['a', 'a'],
    ])
      assert.equal(parseRequestId(values), undefined, JSON.stringify(values))
  })
})
