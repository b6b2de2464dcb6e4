import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { begun, configWith, nameOf, type Scenario } from '../testing/scenario.ts'

function failed(): Scenario {
  const story = begun()
  story.asks('ann')
  story.fails('pull-image')
  assert.equal(story.phase('ann'), 'failed')
  return story
}

describe('a failure that is remembered', () => {
  it('is forgotten at once when its template changes, and the next visit starts', () => {
    const story = failed()
    story.hears({ type: 'config-changed', config: configWith({ spec: { port: 9000 } }) })
    assert.equal(story.phase('ann'), 'absent')
    assert.equal(story.asks('ann').status, 'waiting')
  })

  it('stays when the templates are read again and its own is as before', () => {
    const story = failed()
    story.hears({ type: 'config-changed', config: configWith() })
    assert.equal(story.phase('ann'), 'failed')
  })

  it('is forgotten when the image of its template is another', () => {
    const story = failed()
    story.passes(1).looks({ images: new Map([['berth/lab', 'sha256:1']]) })
    assert.equal(story.phase('ann'), 'failed', 'the failed start may have pulled it')
    story.passes(1).looks({ images: new Map([['berth/lab', 'sha256:1']]) })
    assert.equal(story.phase('ann'), 'failed')
    story.passes(1).looks({ images: new Map([['berth/lab', 'sha256:2']]) })
    assert.equal(story.phase('ann'), 'absent')
  })

  it('is forgotten when the image that was missing is there', () => {
    const story = begun()
    story.asks('ann')
    story.hears({
      type: 'step-failed',
      workspace: nameOf('ann'),
      step: 'pull',
      retry: false,
      failure: { code: 'image_missing', detail: 'It is not there.' },
    })
    story.passes(1).looks()
    assert.equal(story.phase('ann'), 'failed')
    story.passes(1).looks({ images: new Map([['berth/lab', 'sha256:1']]) })
    assert.equal(story.phase('ann'), 'absent')
  })
})
