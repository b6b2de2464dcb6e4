import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createStreamLimit } from './stream-limit.ts'

describe('a limit of streams', () => {
  it('refuses one more of the same key, counts keys apart, and admits again when one has closed', () => {
    const streams = createStreamLimit(2, 'pages', ' Close some.')
    const first = streams.take('ann')
    streams.take('ann')
    const detail = 'At most 2 pages may be open at once. Close some.'
    assert.throws(() => streams.take('ann'), { code: 'limit_connections', message: detail })
    streams.take('bob')
    first[Symbol.dispose]()
    streams.take('ann')
    assert.throws(() => streams.take('ann'), { code: 'limit_connections' })
  })
})
