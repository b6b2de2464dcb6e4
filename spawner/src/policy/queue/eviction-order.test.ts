import assert from 'node:assert/strict'
import { it } from 'node:test'
import { parsePrefix, type Prefix } from '@berth/shared/names'
import { begun, configWith, templateWith } from '../testing/scenario.ts'

it('the queue is ordered again when an eviction takes the only workspace of a person in it', () => {
  const lab = templateWith()
  const shared = templateWith({ seats: 2, idleFreezeMs: 40_000, idleStopMs: 0 })
  const board = { ...shared, name: 'board', prefix: parsePrefix('board') as Prefix }
  const templates = new Map([lab, board].map((template) => [template.name, template]))
  const limits = { ...configWith().limits, maxWorkspaces: 1 }
  const story = begun({ config: { templates, limits } })

  story.asks('ann', { template: 'board' })
  story.obeys()
  story.asks('ann', { template: 'board' })
  story.asks('ann')
  story.asks('bob')
  assert.deepEqual(story.state.queue, ['lab-bob', 'lab-ann'], 'ann has a workspace already')
  for (let round = 0; round < 4; round += 1) {
    story.passes(20_000)
    story.asks('ann')
    story.asks('bob')
    story.obeys('freeze-container')
  }
  assert.deepEqual(story.state.queue, ['lab-ann', 'lab-bob'], 'ann has nothing now, and came first')
})
