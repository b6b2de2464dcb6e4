import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { cardWords } from './words.ts'

describe('the card of a workspace that does not run', () => {
  const stopped = { template: 'lab', workspace: 'lab-ann', phase: 'stopped', elapsedMs: 0 } as const
  const says = (more: { ended?: boolean; outOfMemory?: boolean }) =>
    cardWords({ ...stopped, steps: [] }, { ended: false, wanted: false, ...more }).says

  it('says why it ended, if a person could not know', () => {
    assert.equal(says({}), '')
    assert.match(says({ ended: true }), /longest time that is allowed/)
    assert.match(says({ outOfMemory: true }), /needed more memory than there is for it/)
  })
})
