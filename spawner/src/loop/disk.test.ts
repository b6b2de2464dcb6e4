import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '@berth/shared/log'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createDisk, type Space } from './disk.ts'

const minute = 60_000

function start(options: { images?: () => Promise<{ count: number; bytes: number }> } = {}) {
  const time = createFakeTime()
  let reads = 0
  const disk = createDisk({
    engine: {
      imageSizes(signal) {
        reads += 1
        signal.throwIfAborted()
        return options.images?.() ?? Promise.resolve({ count: 3, bytes: 7 })
      },
    },
    space: async (): Promise<Space> => ({ freeBytes: 1, totalBytes: 2 }),
    clock: time.clock,
    log: createLog({ service: 'test', level: 'silent' }),
  })
  return {
    time,
    disk,
    reads: () => reads,
    [Symbol.asyncDispose]: () => disk[Symbol.asyncDispose](),
  }
}

describe('the disk of the engine', () => {
  it('is read when somebody looks, at most every ten minutes, and nobody waits for it', async () => {
    await using test = start()
    const { disk, time, reads } = test
    assert.deepEqual(disk.look(), {})
    await time.pass(1)
    const read = { images: { count: 3, bytes: 7 }, space: { freeBytes: 1, totalBytes: 2 } }
    assert.deepEqual(disk.look(), read)
    await time.pass(9 * minute)
    disk.look()
    assert.equal(reads(), 1)
    await time.pass(minute)
    assert.deepEqual(disk.look(), read)
    assert.equal(reads(), 2)
  })

  it('is not asked again while it has not answered', async () => {
    const { promise, resolve } = Promise.withResolvers<{ count: number; bytes: number }>()
    await using test = start({ images: () => promise })
    const { disk, time, reads } = test
    disk.look()
    await time.pass(30 * minute)
    disk.look()
    assert.equal(reads(), 1)
    resolve({ count: 1, bytes: 1 })
  })

  it('shows what is known while the engine does not tell the rest', async () => {
    await using test = start({ images: () => Promise.reject(new Error('busy')) })
    test.disk.look()
    await test.time.pass(1)
    assert.deepEqual(test.disk.look(), { space: { freeBytes: 1, totalBytes: 2 } })
  })
})
