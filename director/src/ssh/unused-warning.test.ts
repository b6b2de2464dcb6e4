import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { createActivity } from '../leases/activity.ts'
import type { Seat } from '../leases/lease-table.ts'
import { endWords, unusedWords } from './seat-words.ts'
import { warnOfSilence } from './unused-warning.ts'

describe('a terminal whose seat ends if it is not used', () => {
  /** The spawner tells every five seconds when the seat ends, counted from the last use. */
  function setUp(forMs: number) {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    activity.touch()
    const seat = { activity } as { -readonly [Key in keyof Seat]: Seat[Key] }
    const said: string[] = []
    const watch = warnOfSilence({ ...time, seat }, (line) => said.push(line))
    async function passes(ms: number): Promise<void> {
      for (let left = ms; left > 0; left -= 5_000) {
        const now = time.clock.now()
        seat.unused = { endsAt: now - (activity.lastUseAgoMs() ?? 0) + forMs, toldAt: now }
        await time.pass(Math.min(5_000, left))
      }
    }
    return { activity, said, watch, passes }
  }

  it('is warned once, a minute before', async () => {
    const { said, passes } = setUp(15 * 60_000)
    await passes(13.9 * 60_000)
    assert.deepEqual(said, [])
    await passes(60_000)
    assert.equal(said.length, 1)
    assert.match(said[0] ?? '', /^this session ends in \d+ seconds, because it is not used/)
  })

  it('is warned later where it may be unused for a short time only', async () => {
    const { said, passes } = setUp(20_000)
    await passes(10_000)
    assert.deepEqual(said, [])
    await passes(9_000)
    assert.equal(said.length, 1)
  })

  it('is warned in time, although the spawner tells of the end only later', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    activity.touch()
    const seat = { activity } as { -readonly [Key in keyof Seat]: Seat[Key] }
    const said: string[] = []
    const watch = warnOfSilence({ ...time, seat }, (line) => said.push(line))
    await time.pass(600)
    const toldAt = time.clock.now()
    seat.unused = { endsAt: toldAt + 7_400, toldAt }
    await time.pass(7_000)
    watch[Symbol.dispose]()
    assert.equal(said.length, 1)
  })

  it('is not warned while it is used, and is warned again after the next silence', async () => {
    const { activity, said, passes } = setUp(60_000)
    for (let n = 0; n < 10; n++) {
      await passes(30_000)
      activity.touch()
    }
    assert.deepEqual(said, [])
    await passes(55_000)
    activity.touch()
    await passes(55_000)
    assert.equal(said.length, 2)
  })

  it('is not warned where nothing ends by that, and not after the end of the session', async () => {
    const { said, passes, watch } = setUp(Number.POSITIVE_INFINITY)
    await passes(3_600_000)
    watch[Symbol.dispose]()
    assert.deepEqual(said, [])
  })
})

describe('the words', () => {
  it('say how long it is, and why it ended', () => {
    assert.match(unusedWords(400), /in 1 second,/)
    assert.match(unusedWords(59_600), /in 60 seconds,/)
    assert.match(endWords({ lost: true }), /seat in this workspace has ended/)
    assert.match(endWords({ stopped: 'idle' }), /because nobody used it/)
    assert.equal(endWords({ stopped: 'asked' }), 'The workspace was stopped.')
  })
})
