import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '@berth/shared/log'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { testTemplate } from '../templates/testing/test-template.ts'
import { createHomeSizes } from './home-sizes.ts'
import { flush, userOf } from './testing/test-loop.ts'

const lab = testTemplate('lab')
const ann = userOf('ann')

function begin(homes: readonly string[] = ['ann-home']) {
  const time = createFakeTime()
  const asked: PromiseWithResolvers<ReadonlyMap<string, number>>[] = []
  const sizes = createHomeSizes({
    engine: {
      homeOf: (_template, owner) => (owner === undefined ? undefined : `${owner.name}-home`),
      volumeSizes(signal) {
        const answer = Promise.withResolvers<ReadonlyMap<string, number>>()
        signal.addEventListener('abort', () => answer.reject(signal.reason as Error))
        asked.push(answer)
        return answer.promise
      },
    },
    exists: (volume) => homes.includes(volume),
    clock: time.clock,
    log: createLog({ service: 'test', level: 'silent' }),
  })
  const answer = async (bytes: number) => {
    asked.at(-1)?.resolve(new Map([['ann-home', bytes]]))
    await flush()
  }
  return { time, sizes, asked, answer, of: () => sizes.of(lab, ann) }
}

describe('the size of a home', () => {
  it('is unknown until a person asks for it', async () => {
    const { sizes, asked, of, answer, time } = begin()
    assert.deepEqual(of(), { isMeasuring: false, mayMeasure: true })
    assert.equal(asked.length, 0)
    sizes.measure()
    assert.deepEqual(of(), { isMeasuring: true, mayMeasure: false })
    await answer(2_048)
    const at = time.clock.wall()
    assert.deepEqual(of(), { bytes: 2_048, at, isMeasuring: false, mayMeasure: false })
  })

  it('is computed for all people at once, and not again within an hour', async () => {
    const { sizes, asked, of, answer, time } = begin()
    sizes.measure()
    sizes.measure()
    await answer(1)
    time.advance(3_599_000)
    sizes.measure()
    assert.equal(asked.length, 1)
    time.advance(1_000)
    assert.equal(of()?.mayMeasure, true)
    sizes.measure()
    assert.deepEqual([asked.length, of()?.bytes, of()?.isMeasuring], [2, 1, true])
  })

  it('may be computed again ten minutes after it could not be, and what was known stays', async () => {
    const { sizes, asked, of, answer, time } = begin()
    sizes.measure()
    await answer(1)
    time.advance(3_600_000)
    sizes.measure()
    asked.at(-1)?.reject(new Error('the engine is away'))
    await flush()
    assert.deepEqual([of()?.bytes, of()?.mayMeasure], [1, false])
    time.advance(600_000)
    assert.equal(of()?.mayMeasure, true)
  })

  it('is not offered where there is no home yet', () => {
    assert.equal(begin([]).of(), undefined)
  })

  it('is no longer awaited when the spawner ends', async () => {
    const { sizes, asked } = begin()
    sizes.measure()
    await sizes[Symbol.asyncDispose]()
    await assert.rejects(asked[0]?.promise ?? Promise.resolve())
    sizes.measure()
    assert.equal(asked.length, 1)
  })
})
