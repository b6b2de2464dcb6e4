import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nameOf, person, Scenario, withReady, type ScenarioOptions } from './testing/scenario.ts'

const options: ScenarioOptions = { policy: { idleFreezeMs: 40_000 } }
const idsOf = (story: Scenario, from: number) =>
  story.announced.slice(from).map(({ phase, requestId }) => [phase, requestId])

describe('what is announced of a workspace has the id of the request', () => {
  it('that began its start, until it is ready', () => {
    const story = new Scenario().connects().looks()
    story.asks('ann', { requestId: 'r1' })
    story.asks('ann', { requestId: 'r2' })
    story.obeys()
    // Nothing that a request began.
    story.hears({ type: 'container-died', generation: `${nameOf('ann')}#1`, exitCode: 1 })
    assert.equal(story.phase('ann'), 'stopped')
    assert.deepEqual(
      story.announced.map(({ phase, requestId }) => `${phase} ${requestId}`),
      [
        ...['pulling r1', 'creating r1', 'starting r1', 'probing r1', 'ready r1'],
        'stopped undefined',
      ],
    )
  })

  it('that began a start which failed, until the failure', () => {
    const story = new Scenario().connects().looks()
    story.asks('ann', { requestId: 'r1' })
    story.obeys('pull-image', 'create-network').fails('create-container').obeys()
    assert.equal(story.phase('ann'), 'failed')
    assert.ok(story.announced.length > 2)
    for (const { phase, requestId } of story.announced) assert.equal(requestId, 'r1', phase)
  })

  it('that woke it, and no request’s where it was frozen or stopped by itself', () => {
    const story = withReady(['ann'], options)
    const from = story.announced.length
    story.passes(40_000).obeys()
    story.asks('ann', { requestId: 'r3' })
    story.obeys()
    assert.deepEqual(idsOf(story, from), [
      ['frozen', undefined],
      ['ready', 'r3'],
    ])
  })

  it('that ended it, or began it anew', () => {
    const story = withReady(['ann'], options)
    const from = story.announced.length
    const workspace = nameOf('ann')
    story.hears({ type: 'end-requested', workspace, how: 'stop', requestId: 'r4' })
    story.obeys()
    const user = person('ann')
    story.hears({ type: 'start-requested', template: 'lab', user, requestId: 'r5' })
    assert.deepEqual(idsOf(story, from), [
      ['stopping', 'r4'],
      ['stopped', 'r4'],
      ['starting', 'r5'],
    ])
  })
})
