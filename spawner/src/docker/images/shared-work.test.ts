import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createSharedWork } from './shared-work.ts'

function workshop() {
  const shared = createSharedWork<number, string>()
  const begun: {
    report: (value: number) => void
    signal: AbortSignal
    end: (s: string) => void
  }[] = []
  const join = (signal = new AbortController().signal, heard: number[] = []) =>
    shared.join(
      'key',
      (report, ends) => {
        const { promise, resolve } = Promise.withResolvers<string>()
        begun.push({ report, signal: ends, end: resolve })
        return promise
      },
      (value) => heard.push(value),
      signal,
    )
  return { begun, join }
}
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('shared work', () => {
  it('is done once for all who wait, and those who come later hear how far it is', async () => {
    const { begun, join } = workshop()
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

  it('goes on when one leaves, and ends when the last has left', async () => {
    const { begun, join } = workshop()
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

  it('begins anew for one who comes after all have left', async () => {
    const { begun, join } = workshop()
    const a = new AbortController()
    const left = join(a.signal)
    await turn()
    a.abort()
    await assert.rejects(left)
    const again = join()
    await turn()
    begun[1]?.end('second')
    assert.equal(await again, 'second')
  })

  it('tells a failure to all, and does not remember it', async () => {
    const shared = createSharedWork<number, string>()
    const { signal } = new AbortController()
    const fail = () =>
      shared.join(
        'k',
        () => Promise.reject(new Error('no')),
        () => undefined,
        signal,
      )
    await Promise.all([assert.rejects(fail()), assert.rejects(fail())])
    const work = shared.join(
      'k',
      async () => 'yes',
      () => undefined,
      signal,
    )
    assert.equal(await work, 'yes')
  })
})
