import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nameOf, withReady, type Scenario, type ScenarioOptions } from '../testing/scenario.ts'

const ready = (options: ScenarioOptions = {}): Scenario => withReady(['ann'], options)
const workspace = nameOf('ann')
const held = (story: Scenario, ms = 120_000): Scenario => {
  story.hears({ type: 'hold-requested', workspace, ms })
  return story
}
const released = (story: Scenario): Scenario => {
  story.hears({ type: 'hold-ended', workspace })
  return story
}
/** Longer than a lease. */
const unused = 31_000
const long = { idleFreezeMs: 3_600_000, idleStopMs: 7_200_000 }

describe('a workspace whose files are copied', () => {
  it('is frozen as soon as no director holds a lease, and thawed when the copy is done', () => {
    const story = held(ready({ policy: long }))
    assert.deepEqual(story.ordered(), [])
    story.passes(unused)
    assert.deepEqual(story.ordered(), ['freeze-container'])
    story.obeys().passes(60_000)
    assert.equal(story.phase('ann'), 'frozen')
    assert.equal(story.recorded.workspaces[0]?.held, true)
    const { lastUseAt } = story.workspace('ann')
    released(story)
    assert.deepEqual(story.ordered(), ['thaw-container'])
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    assert.equal(story.workspace('ann').lastUseAt, lastUseAt, 'the copy is no use')
    story.passes(60_000)
    assert.equal(story.phase('ann'), 'ready')
  })

  it('is thawed when the time of the hold is over, also if nobody ends it', () => {
    const story = held(ready({ policy: long }), 60_000)
      .passes(unused)
      .obeys()
    assert.equal(story.phase('ann'), 'frozen')
    story.passes(60_000).obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('stays under a lease, and what was not frozen in time is not frozen later', () => {
    const story = held(ready({ policy: long }), 1_000).passes(unused)
    assert.deepEqual(story.ordered(), [])
    assert.equal(story.phase('ann'), 'ready')
  })

  it('is frozen at once when it turns out to be busy, which puts off its stop but not the hold', () => {
    const policy = { idleStopMs: 60_000, busyCpuPercent: 20, busyAtMostMs: 0 }
    const story = ready({ policy }).passes(60_000)
    assert.deepEqual(story.ordered(), ['measure-cpu'])
    story.orders.splice(0)
    held(story)
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'cpu-measured', workspace, generation, percent: 100 })
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('is thawed at once for a person, and not frozen again', () => {
    const story = held(ready({ policy: long }))
      .passes(unused)
      .obeys()
    assert.equal(story.asks('ann', { start: 'wake', navigation: false }).status, 'waiting')
    assert.deepEqual(story.ordered(), ['thaw-container'])
    story.obeys().passes(unused)
    assert.equal(story.phase('ann'), 'ready')
    released(story)
    assert.deepEqual(story.ordered(), [])
  })

  it('is neither stopped as idle nor evicted while only the hold keeps it frozen', () => {
    const policy = { idleStopMs: 0, idleRemoveMs: 40_000 }
    const story = held(ready({ policy, limits: { maxWorkspaces: 1, evictsFrozen: true } }))
    story.passes(unused).obeys()
    assert.equal(story.phase('ann'), 'frozen')
    story.passes(30_000)
    story.asks('bob', { start: 'start' })
    assert.equal(story.phase('ann'), 'frozen')
    assert.deepEqual(story.ordered(), [])
    released(story).obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('stays frozen afterwards if it is frozen for another reason', () => {
    const idle = { idleFreezeMs: 40_000, idleStopMs: 7_200_000 }
    const before = released(held(ready({ policy: idle }).passes(40_000).obeys()))
    assert.equal(before.phase('ann'), 'frozen')
    assert.deepEqual(before.ordered(), [])
    const within = held(ready({ policy: idle }).passes(39_000), 60_000)
    within.obeys()
    released(within).obeys().passes(2_000).obeys().passes(60_000)
    assert.equal(within.phase('ann'), 'frozen')
    assert.deepEqual(within.ordered(), [])
  })

  it('may be held longer by asking again, and ten minutes at most without that', () => {
    const story = held(ready({ policy: long }), 3_600_000)
      .passes(unused)
      .obeys()
    story.passes(500_000)
    held(story, 600_000).passes(500_000)
    assert.equal(story.phase('ann'), 'frozen')
    story.passes(101_000).obeys()
    assert.equal(story.phase('ann'), 'ready')
  })
})
