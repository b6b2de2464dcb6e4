import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createActivity } from './activity.ts'
import { createDrainMeter } from './drain-meter.ts'
import { createFakeTime } from '@berth/shared/testing/fake-time'

describe('activity', () => {
  it('has no last use before the first use', () => {
    const activity = createActivity(createFakeTime().clock)
    assert.equal(activity.lastUseAgoMs(), undefined)
  })

  it('counts from the last use', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    activity.touch()
    await time.pass(700)
    assert.equal(activity.lastUseAgoMs(), 700)
  })

  it('is in use while an answer is awaited, and counts from its end', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    const awaited = activity.awaitAnswer()
    await time.pass(90_000)
    assert.equal(activity.lastUseAgoMs(), 0)
    awaited[Symbol.dispose]()
    awaited[Symbol.dispose]()
    await time.pass(10)
    assert.equal(activity.lastUseAgoMs(), 10)
  })

  it('is not in use with only an open connection, but is reported', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    activity.touch()
    const open = activity.open()
    await time.pass(5_000)
    activity.reporting()()
    assert.equal(activity.lastUseAgoMs(), 5_000)
    assert.equal(activity.reportable(), true)
    open[Symbol.dispose]()
    assert.equal(activity.reportable(), true, 'its end has not been told yet')
    await time.pass(1)
    activity.reporting()()
    assert.equal(activity.reportable(), false)
  })

  it('is reported until a report has arrived after the last traffic', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    activity.touch()
    await time.pass(1)
    const arrived = activity.reporting()
    assert.equal(activity.reportable(), true)
    arrived()
    assert.equal(activity.reportable(), false)
  })

  it('is reported again after traffic while a report was under way', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    activity.touch()
    await time.pass(1)
    const arrived = activity.reporting()
    activity.touch()
    arrived()
    assert.equal(activity.reportable(), true)
  })

  it('counts a use that lies ahead as a use now', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    using download = activity.download()
    download.touchUntil(time.clock.now() + 1_000)
    assert.equal(activity.lastUseAgoMs(), 0)
    await time.pass(400)
    activity.reporting()()
    assert.equal(activity.reportable(), true, 'the use goes on after the report')
    await time.pass(1_600)
    assert.equal(activity.lastUseAgoMs(), 1_000)
  })
})

describe('a download', () => {
  it('is in use no longer than it lasts, however much was drained at its end', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    const download = activity.download()
    download.touchUntil(time.clock.now() + 60_000)
    await time.pass(10)
    download[Symbol.dispose]()
    assert.equal(activity.lastUseAgoMs(), 0)
    await time.pass(5_000)
    assert.equal(activity.lastUseAgoMs(), 5_000)
  })

  it('does not shorten the use by another', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    using going = activity.download()
    const complete = activity.download()
    going.touchUntil(time.clock.now() + 60_000)
    complete.touchUntil(time.clock.now() + 60_000)
    complete[Symbol.dispose]()
    await time.pass(5_000)
    assert.equal(activity.lastUseAgoMs(), 0)
  })

  it('that ended before its window is over stays a use of then', async () => {
    const time = createFakeTime()
    const activity = createActivity(time.clock)
    const download = activity.download()
    download.touchUntil(time.clock.now() + 1_000)
    await time.pass(3_000)
    download[Symbol.dispose]()
    assert.equal(activity.lastUseAgoMs(), 2_000)
  })
})

describe('drain meter', () => {
  const unit = 64 * 1024

  it('counts 64 KiB within the window as use until the window ends', async () => {
    const time = createFakeTime()
    const uses: number[] = []
    const drained = createDrainMeter({
      clock: time.clock,
      windowMs: 1_000,
      touchUntil: (at) => uses.push(at),
    })
    drained(unit / 2)
    await time.pass(900)
    drained(unit / 2)
    assert.deepEqual(uses, [2_000])
  })

  it('does not count a trickle as use', async () => {
    const time = createFakeTime()
    const uses: number[] = []
    const drained = createDrainMeter({
      clock: time.clock,
      windowMs: 1_000,
      touchUntil: (at) => uses.push(at),
    })
    for (let second = 0; second < 100; second += 1) {
      drained(20_000)
      await time.pass(501)
    }
    assert.deepEqual(uses, [])
  })

  it('counts each 64 KiB separately', async () => {
    const time = createFakeTime()
    const uses: number[] = []
    const drained = createDrainMeter({
      clock: time.clock,
      windowMs: 1_000,
      touchUntil: (at) => uses.push(at),
    })
    await time.pass(100)
    drained(unit * 3)
    await time.pass(100)
    drained(unit)
    assert.deepEqual(uses, [2_000, 2_100])
  })
})
