import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLog } from '@berth/shared/log'
import type { UserName } from '@berth/shared/names'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createHistory } from './history.ts'
import type { HistoryBatch, HistoryStore } from './history-store.ts'

/** @param append what the file does with a batch */
function keeping(append: (batch: HistoryBatch) => Promise<void>) {
  const time = createFakeTime()
  const dropped: number[] = []
  const prunes: number[] = []
  const store: HistoryStore = {
    append,
    page: async () => ({ entries: [] }),
    figures: () => new Promise(() => undefined),
    prune: async (before) => prunes.push(before) < 3,
    [Symbol.asyncDispose]: async () => undefined,
  }
  const history = createHistory({
    store,
    keepMs: 1_000_000,
    clock: time.clock,
    setTimer: time.setTimer,
    log: createLog({ service: 'test', level: 'silent' }),
    dropped: (count) => dropped.push(count),
  })
  const signIn = (...names: readonly string[]) => {
    for (const name of names) history.recorder.seen(name as UserName)
  }
  const lost = () => dropped.reduce((sum, count) => sum + count, 0)
  return { time, history, signIn, prunes, lost }
}

const peopleOf = (batches: readonly HistoryBatch[]) =>
  batches.map(({ entries }) => entries.map(({ person }) => person))

describe('the history', () => {
  it('writes what came together as one batch, and only one batch at a time', async () => {
    const batches: HistoryBatch[] = []
    const answers: (() => void)[] = []
    const { time, signIn } = keeping((batch) => {
      batches.push(batch)
      return new Promise((resolve) => answers.push(resolve))
    })
    signIn('ann', 'bob')
    await time.pass(500)
    signIn('cid')
    await time.pass(2_000)
    assert.deepEqual(peopleOf(batches), [['ann', 'bob']])
    answers[0]?.()
    await time.pass(500)
    assert.deepEqual(peopleOf(batches), [['ann', 'bob'], ['cid']])
  })

  it('keeps what could not be written, in its order, and writes it when that is possible again', async () => {
    let isFull = true
    const batches: HistoryBatch[] = []
    const { time, signIn, lost } = keeping(async (batch) => {
      if (isFull) throw new Error('the disk is full')
      batches.push(batch)
    })
    signIn('ann')
    await time.pass(1_000)
    signIn('bob')
    await time.pass(30_000)
    assert.deepEqual(batches, [])
    isFull = false
    await time.pass(10_000)
    assert.deepEqual(peopleOf(batches), [['ann', 'bob']])
    assert.equal(lost(), 0)
  })

  it('counts what is more than its queue holds', async () => {
    const { time, signIn, lost } = keeping(() => new Promise(() => undefined))
    signIn(...Array.from({ length: 10_007 }, (_, at) => `p${at}`))
    await time.pass(1_000)
    assert.equal(lost(), 7)
  })

  it('removes what is too old in small steps until nothing is left of it, and then every minute', async () => {
    const { time, prunes } = keeping(async () => undefined)
    await time.pass(1_000)
    assert.equal(prunes.length, 3)
    assert.equal(prunes[0], time.clock.wall() - 1_000_000 - 900)
    await time.pass(60_000)
    assert.equal(prunes.length, 4)
  })

  it('writes what is left when the spawner ends, and does not wait for a file that hangs', async () => {
    const batches: HistoryBatch[] = []
    const good = keeping(async (batch) => void batches.push(batch))
    good.signIn('ann')
    await good.history[Symbol.asyncDispose]()
    assert.deepEqual(peopleOf(batches), [['ann']])

    const hung = keeping(() => new Promise(() => undefined))
    hung.signIn('ann')
    await hung.time.pass(1_000)
    const ended = hung.history[Symbol.asyncDispose]()
    await hung.time.pass(2_000)
    await ended
    assert.equal(hung.lost(), 1)
  })

  it('answers a question within a deadline, whatever the file does', async () => {
    const { time, history } = keeping(async () => undefined)
    const answer = assert.rejects(
      history.figures({ from: 0, to: 1, spanMs: 1 }),
      /not answer in time/,
    )
    await time.pass(10_000)
    await answer
  })
})
