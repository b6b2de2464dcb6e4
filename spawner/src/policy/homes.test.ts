import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Recorded, FoundHome } from './domain.ts'
import { Scenario, user } from './testing/scenario.ts'

const dayMs = 86_400_000
const home = (who: string, mounted = false): FoundHome => ({
  volume: `berth-${who}-home`,
  user: user(who),
  mounted,
})

/** A scenario with a wall clock, which advances together with the scenario's own clock. */
class Story extends Scenario {
  constructor(limits: { keepHomesMs: number; keepHomesDryRun?: boolean }, recorded?: Recorded) {
    super({ limits: { keepHomesDryRun: false, ...limits } }, recorded)
  }

  sees(...homes: readonly FoundHome[]): readonly string[] {
    return this.looks({ homes, wallAt: 1e12 + this.now }).said.flatMap((step) =>
      step.type === 'remove-home' || step.type === 'announce-home'
        ? [`${step.type} ${step.volume}`]
        : [],
    )
  }

  after(ms: number): this {
    this.now += ms
    return this
  }
}

const told = 'announce-home berth-ann-home'
const removed = 'remove-home berth-ann-home'

describe('unused volumes', () => {
  it('are kept for ever unless a retention is set', () => {
    const story = new Story({ keepHomesMs: 0 })
    story.sees(home('ann'))
    assert.deepEqual(story.after(10_000 * dayMs).sees(home('ann')), [])
  })

  it('are counted from when they were first seen, are announced, and are removed a day later', () => {
    const story = new Story({ keepHomesMs: 30 * dayMs })
    assert.deepEqual(story.sees(home('ann')), [])
    assert.deepEqual(story.after(30 * dayMs).sees(home('ann')), [])
    assert.deepEqual(story.after(1).sees(home('ann')), [told])
    assert.deepEqual(story.after(dayMs - 1).sees(home('ann')), [])
    assert.deepEqual(story.after(1).sees(home('ann')), [told, removed])
    assert.deepEqual(story.after(60_000).sees(home('ann')), [])
    assert.deepEqual(story.after(3_600_000).sees(home('ann')), [removed])
    assert.deepEqual(story.sees(), [])
    assert.deepEqual(story.recorded.homes, undefined)
  })

  it('are only announced, once a day, in a dry run', () => {
    const story = new Story({ keepHomesMs: dayMs, keepHomesDryRun: true })
    story.sees(home('ann'))
    story.after(2 * dayMs)
    assert.deepEqual(story.sees(home('ann')), [told])
    assert.deepEqual(story.after(60_000).sees(home('ann')), [])
    for (let days = 0; days < 5; days++)
      assert.deepEqual(story.after(dayMs).sees(home('ann')), [told])
  })

  it('count as used while any container mounts them, or their owner has a workspace in any phase', () => {
    const story = new Story({ keepHomesMs: dayMs })
    story.sees(home('ann'), home('bob'))
    story.connects()
    story.asks('bob')
    for (let hours = 0; hours < 100; hours++) {
      story.asks('bob')
      assert.deepEqual(story.after(3_600_000 - 20_000).sees(home('ann', true), home('bob')), [])
      story.after(20_000)
    }
    assert.deepEqual(story.after(dayMs - 3_600_000).sees(home('ann')), [])
  })

  it('are kept for the whole time again if they are used at the last moment', () => {
    const story = new Story({ keepHomesMs: 10 * dayMs })
    story.sees(home('ann'))
    assert.deepEqual(story.after(10 * dayMs + 1).sees(home('ann')), [told])
    story.after(dayMs - 1).sees(home('ann', true))
    assert.deepEqual(story.after(10 * dayMs).sees(home('ann')), [])
    assert.deepEqual(story.after(1).sees(home('ann')), [told])
  })

  it('keep their last use across a restart, written once an hour at most', () => {
    const story = new Story({ keepHomesMs: 10 * dayMs })
    story.sees(home('ann', true))
    const { homes } = story.recorded
    story.after(3_599_999).sees(home('ann', true))
    assert.equal(story.recorded.homes, homes)
    story.after(1).sees(home('ann', true))
    assert.notDeepEqual(story.recorded.homes, homes)
    const again = new Story({ keepHomesMs: 10 * dayMs }, story.recorded)
    again.now = story.now
    assert.deepEqual(again.after(10 * dayMs + 1).sees(home('ann')), [told])
  })

  it('do not become older because the clock was set back', () => {
    const volume = home('ann').volume
    const homes = [{ volume, user: user('ann'), lastUseAt: 9e12 }]
    const story = new Story({ keepHomesMs: dayMs }, { workspaces: [], nextTicket: 1, homes })
    assert.deepEqual(story.sees(home('ann')), [])
    assert.equal(story.recorded.homes?.[0]?.lastUseAt, 1e12 + story.now)
  })

  it('are left alone when the inventory does not list volumes', () => {
    const story = new Story({ keepHomesMs: dayMs })
    story.sees(home('ann'))
    story.after(10 * dayMs).looks()
    assert.equal(story.recorded.homes?.length, 1)
  })
})
