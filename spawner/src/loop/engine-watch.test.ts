import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '@berth/shared/log'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createEngineWatch } from './engine-watch.ts'
import { SettingsConflict } from './engine.ts'
import { createFakeEngine } from './testing/fake-engine.ts'

function watchOf(failure: Error) {
  const time = createFakeTime()
  const submitted: string[] = []
  const engine = createFakeEngine(time.clock)
  const watch = createEngineWatch({
    engine: { ...engine, takeInventory: () => Promise.reject(failure) },
    clock: time.clock,
    setTimer: time.setTimer,
    log: createLog({ service: 'spawner', level: 'silent' }),
    everyMs: 10_000,
    submit: ({ type }) => submitted.push(type),
    inventoryTaken: () => undefined,
    reached: async () => undefined,
  })
  return { watch, submitted, [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose]() }
}

describe('the first inventory', () => {
  it('ends the start where it meets a conflict of settings, and nothing is decided', async () => {
    await using test = watchOf(new SettingsConflict('another pool'))
    await assert.rejects(test.watch.start(), SettingsConflict)
    assert.deepEqual(test.submitted, [])
  })

  it('does not end the start where the engine does not answer yet', async () => {
    await using test = watchOf(new Error('connect ECONNREFUSED'))
    await test.watch.start()
    assert.deepEqual(test.submitted, ['engine-lost'])
  })
})
