import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSharedCalls } from './shared-calls.ts'

const { signal: never } = new AbortController()

/** Calls of one key; the tests send their reports and end them. */
function setUp() {
  const calls = createSharedCalls<string, number>()
  const begun: {
    report: (value: number) => void
    signal: AbortSignal
    end: (s: string) => void
  }[] = []
  const join = (signal = never, heard: number[] = []) =>
    calls.join(
      'key',
      (ends, report) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        begun.push({ report, signal: ends, end: resolve })
        return promise
      },
      { signal, onReport: (value) => heard.push(value) },
    )
  return { begun, join }
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('shared calls', () => {
  it('are made once for all who join while one is under way', async () => {
    const calls = createSharedCalls<number>()
    const answer = Promise.withResolvers<number>()
    let begun = 0
    const begin = () => {
      begun += 1
      return answer.promise
    }
    const joined = ['a', 'a', 'a'].map((key) => calls.join(key, begin, { signal: never }))
    answer.resolve(7)
    assert.deepEqual(await Promise.all(joined), [7, 7, 7])
    assert.equal(begun, 1)
    const next = await calls.join('a', async () => 8, { signal: never })
    assert.equal(next, 8, 'a result is not kept')
  })

  it('give a later caller the last report and every later one', async () => {
    const { begun, join } = setUp()
    const late: number[] = []
    const first = join()
    await turn()
    begun[0]?.report(40)
    const second = join(undefined, late)
    begun[0]?.report(50)
    begun[0]?.end('done')
    assert.deepEqual(await Promise.all([first, second]), ['done', 'done'])
    assert.equal(begun.length, 1)
    assert.deepEqual(late, [40, 50])
  })

  it('go on when one caller leaves, and are aborted when the last has left', async () => {
    const { begun, join } = setUp()
    const [a, b] = [new AbortController(), new AbortController()]
    const both = [join(a.signal), join(b.signal)]
    await turn()
    a.abort()
    await assert.rejects(both[0] ?? Promise.resolve())
    assert.equal(begun[0]?.signal.aborted, false)
    b.abort()
    await assert.rejects(both[1] ?? Promise.resolve())
    assert.equal(begun[0]?.signal.aborted, true)
  })

  it('begin anew for a caller that comes after all have left', async () => {
    const { begun, join } = setUp()
    const a = new AbortController()
    const left = join(a.signal)
    await turn()
    a.abort()
    await assert.rejects(left)
    const again = join()
    await turn()
    begun[0]?.end('first')
    begun[1]?.end('second')
    assert.equal(await again, 'second')
  })

  it('of different keys are independent', async () => {
    const calls = createSharedCalls<string>()
    const a = calls.join('a', async () => 'a', { signal: never })
    const b = calls.join('b', async () => 'b', { signal: never })
    assert.deepEqual(await Promise.all([a, b]), ['a', 'b'])
  })

  it('give a failure to all callers, and do not keep it', async () => {
    const calls = createSharedCalls<string>()
    const fail = () => calls.join('k', () => Promise.reject(new Error('no')), { signal: never })
    await Promise.all([assert.rejects(fail()), assert.rejects(fail())])
    assert.equal(await calls.join('k', async () => 'yes', { signal: never }), 'yes')
  })
})
