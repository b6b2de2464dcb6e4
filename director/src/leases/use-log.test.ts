import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createUseLog } from './use-log.ts'

const heartbeat = { what: 'frame', method: 'GET', path: '/ws' } as const
const poll = { what: 'request', method: 'POST', path: '/' } as const

describe('the log of use', () => {
  it('counts together what is alike, with the latest first', () => {
    const time = createFakeTime()
    const log = createUseLog(time.clock)
    for (const bytes of [7, 3, 5]) {
      log.note('lab-ann', heartbeat, bytes)
      time.advance(1_000)
    }
    log.note('lab-ann', { ...heartbeat, path: '/other' }, 1)
    log.note('lab-bob', heartbeat, 1)
    assert.deepEqual(log.of('lab-ann'), [
      {
        ...heartbeat,
        path: '/other',
        count: 1,
        fewestBytes: 1,
        mostBytes: 1,
        firstAgoMs: 0,
        lastAgoMs: 0,
      },
      {
        ...heartbeat,
        count: 3,
        fewestBytes: 3,
        mostBytes: 7,
        firstAgoMs: 3_000,
        lastAgoMs: 1_000,
      },
    ])
    assert.deepEqual(log.of('lab-cleo'), [])
  })

  it('has a request whose answer is awaited as use until now, with the size of its body at its end', () => {
    const time = createFakeTime()
    const log = createUseLog(time.clock)
    const request = log.begin('lab-ann', poll)
    request.grow(10)
    time.advance(3_600_000)
    assert.deepEqual(
      log.of('lab-ann').map(({ lastAgoMs, mostBytes }) => [lastAgoMs, mostBytes]),
      [[0, 0]],
    )
    request.grow(20)
    request[Symbol.dispose]()
    time.advance(5)
    assert.deepEqual(
      log.of('lab-ann').map(({ lastAgoMs, mostBytes }) => [lastAgoMs, mostBytes]),
      [[5, 30]],
    )
  })

  it('forgets what is older than 15 minutes, and counts anew after that', () => {
    const time = createFakeTime()
    const log = createUseLog(time.clock)
    log.note('lab-ann', heartbeat, 1)
    time.advance(900_000)
    assert.equal(log.of('lab-ann').length, 1)
    time.advance(1)
    assert.deepEqual(log.of('lab-ann'), [])
    log.note('lab-ann', heartbeat, 2)
    assert.deepEqual(
      log.of('lab-ann').map(({ count, fewestBytes }) => [count, fewestBytes]),
      [[1, 2]],
    )
  })

  it('has at most fifty kinds for a workspace: those that were used last', () => {
    const time = createFakeTime()
    const log = createUseLog(time.clock)
    for (let at = 0; at < 60; at += 1) {
      log.note('lab-ann', { ...poll, path: `/${at}` }, 1)
      log.note('lab-ann', heartbeat, 1)
    }
    const paths = log.of('lab-ann').map(({ path }) => path)
    assert.equal(paths.length, 50)
    assert.ok(paths.includes('/ws') && paths.includes('/59') && !paths.includes('/0'))
  })
})
