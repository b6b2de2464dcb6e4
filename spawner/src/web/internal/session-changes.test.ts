import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '@berth/shared/log'
import { createSessionChanges } from './session-changes.ts'

const log = createLog({ service: 'test', level: 'silent' })

describe('the changes of a session', () => {
  it('hazard: a flood of sizes and signals: the engine gets one call at a time, the last size, and each signal once', async () => {
    const calls: string[] = []
    let running = 0
    let most = 0
    const called = async (what: string) => {
      calls.push(what)
      running += 1
      most = Math.max(most, running)
      await new Promise((resolve) => setImmediate(resolve))
      running -= 1
    }
    const changes = createSessionChanges(
      {
        resize: ({ columns }) => called(`size ${columns}`),
        signal: (name) => called(name),
      },
      new AbortController().signal,
      log,
    )
    for (let at = 1; at <= 10_000; at += 1) {
      changes.resize({ columns: at, rows: 24 })
      changes.signal(at % 2 === 0 ? 'INT' : 'TERM')
    }
    while (running > 0) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(calls, ['size 1', 'size 10000', 'TERM', 'INT'])
    assert.equal(most, 1)
  })

  it('go on after one that the engine refused', async () => {
    const calls: string[] = []
    const changes = createSessionChanges(
      {
        resize: () => Promise.reject(new Error('it has ended')),
        signal: async (name) => void calls.push(name),
      },
      new AbortController().signal,
      log,
    )
    changes.resize({ columns: 80, rows: 24 })
    changes.signal('HUP')
    await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(calls, ['HUP'])
  })
})
