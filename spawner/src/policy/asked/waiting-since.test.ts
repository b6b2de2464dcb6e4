import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nameOf, Scenario } from '../testing/scenario.ts'

/** ann's workspace runs, and one of her tabs still shows a page of Berth. */
function waiting(): Scenario {
  const story = new Scenario()
  story.connects().looks()
  story.asks('ann')
  story.obeys().passes(1_000)
  return story
}

describe('a page that has waited since before a stop', () => {
  it('does not undo the stop when it loads itself again', () => {
    const story = waiting()
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'stop' })
    story.asks('ann', { waitedMs: 500 })
    story.obeys()
    assert.equal(story.phase('ann'), 'stopped')
    story.passes(100)
    const answer = story.asks('ann', { waitedMs: 600 })
    assert.equal(answer.status === 'refused' && answer.failure.code, 'workspace_stopped')
    assert.equal(story.phase('ann'), 'stopped')
  })

  it('starts it when the person has asked for that after the stop', () => {
    const story = waiting()
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'stop' })
    story.obeys().passes(1_000)
    assert.equal(story.asks('ann', { waitedMs: 500 }).status, 'waiting')
  })
})
