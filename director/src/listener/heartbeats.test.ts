import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createHeartbeats } from './heartbeats.ts'

function setUp() {
  const time = createFakeTime()
  const said: number[] = []
  let asked = 0
  let isRunning = false
  const began = time.clock.now()
  const heartbeats = createHeartbeats({
    clock: time.clock,
    setTimer: time.setTimer,
    heartbeat: { message: '2', periodMs: 1_000 },
    runs: async () => {
      asked += 1
      return isRunning
    },
    say: () => said.push(time.clock.now() - began),
  })
  const run = (is: boolean): void => {
    isRunning = is
  }
  return { time, said, heartbeats, asked: () => asked, run }
}

describe('the heartbeat of a frozen workspace', () => {
  it('is said in each period, from a little after the first that did not come', async () => {
    const { time, said } = setUp()
    await time.pass(1_199)
    assert.deepEqual(said, [])
    await time.pass(2_500)
    assert.deepEqual(said, [1_200, 2_200, 3_200])
  })

  it('is not said, and nobody is asked, as long as the workspace says something itself', async () => {
    const { time, said, heartbeats, asked } = setUp()
    for (let beats = 0; beats < 5; beats += 1) {
      await time.pass(1_000)
      heartbeats.heard()
    }
    assert.deepEqual([said.length, asked()], [0, 0])
    await time.pass(1_200)
    assert.deepEqual(said, [6_200])
  })

  it('is not said for a workspace that runs and is silent: the page must notice that', async () => {
    const { time, said, run } = setUp()
    run(true)
    await time.pass(5_000)
    assert.deepEqual(said, [])
    run(false)
    await time.pass(1_000)
    assert.equal(said.length, 1)
  })

  it('ends with its connection', async () => {
    const { time, said, heartbeats } = setUp()
    heartbeats[Symbol.dispose]()
    await time.pass(5_000)
    assert.deepEqual(said, [])
    assert.equal(time.pending(), 0)
  })
})
