import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSharedCalls } from './shared-calls.ts'

describe('shared calls', () => {
  it('are made once for all who join while one is under way', async () => {
    const calls = createSharedCalls<number>()
    const answer = Promise.withResolvers<number>()
    let begun = 0
    const begin = () => {
      begun += 1
      return answer.promise
    }
    const joined = [calls.join('a', begin), calls.join('a', begin), calls.join('a', begin)]
    answer.resolve(7)
    assert.deepEqual(await Promise.all(joined.map(({ result }) => result)), [7, 7, 7])
    assert.equal(begun, 1)
    for (const call of joined) call.leave()
    assert.equal(await calls.join('a', async () => 8).result, 8, 'an answer is not kept')
  })

  it('end early when all have left, and only then', () => {
    const calls = createSharedCalls<number>()
    let signal: AbortSignal | undefined
    const begin = (theirs: AbortSignal) => {
      signal = theirs
      return new Promise<number>(() => undefined)
    }
    const one = calls.join('a', begin)
    const two = calls.join('a', begin)
    one.leave()
    assert.equal(signal?.aborted, false)
    two.leave()
    assert.equal(signal?.aborted, true)
  })

  it('that all have left are not joined by who comes later', async () => {
    const calls = createSharedCalls<string>()
    const first = Promise.withResolvers<string>()
    calls.join('a', () => first.promise).leave()
    const second = calls.join('a', async () => 'second')
    first.resolve('first')
    assert.equal(await second.result, 'second')
  })

  it('of different keys know nothing of each other', async () => {
    const calls = createSharedCalls<string>()
    const a = calls.join('a', async () => 'a')
    const b = calls.join('b', async () => 'b')
    assert.deepEqual(await Promise.all([a.result, b.result]), ['a', 'b'])
  })
})
