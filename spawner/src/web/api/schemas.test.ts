import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseUserName } from '@berth/shared/names'
import fc from 'fast-check'
import { z } from 'zod'
import { listQuery } from './schemas.ts'

describe('the user name in the description of the API', () => {
  const { properties } = z.toJSONSchema(listQuery, { io: 'input' })
  const { pattern = '' } = (properties?.['user'] ?? {}) as { pattern?: string }

  it('has a pattern that admits what Berth admits, and refuses what Berth refuses', () => {
    const described = new RegExp(pattern)
    const blanks = fc.constantFrom(
      ' ',
      '\t',
      '\n',
      '\u00a0',
      '\u2028',
      '\u202e',
      '\ufeff',
      '\u0085',
    )
    const unit = fc.oneof(fc.string({ unit: 'binary', maxLength: 3 }), blanks)
    fc.assert(
      fc.property(fc.array(unit, { minLength: 1, maxLength: 8 }), (parts) => {
        const text = parts.join('')
        if (text === '' || text.length > 256) return
        assert.equal(described.test(text), parseUserName(text) !== undefined, JSON.stringify(text))
      }),
      { numRuns: 20_000 },
    )
  })
})
