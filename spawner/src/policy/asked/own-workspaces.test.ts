import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { begun, nameOf, person, withReady } from '../testing/scenario.ts'
import { ownWorkspaces } from './own-workspaces.ts'

describe('the workspaces of a person', () => {
  it('are those that run or wait, with the title of their template', () => {
    const story = withReady(['ann', 'bob'])
    assert.deepEqual(ownWorkspaces(story.state, person('ann')), [
      { name: nameOf('ann'), title: 'Lab', phase: 'ready', shared: false },
    ])
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'stop' })
    assert.equal(ownWorkspaces(story.state, person('ann'))[0]?.phase, 'stopping')
    story.obeys()
    assert.deepEqual(ownWorkspaces(story.state, person('ann')), [])
  })

  it('are not those of an earlier bearer of the same user name', () => {
    const { state } = withReady(['ann'])
    assert.deepEqual(ownWorkspaces(state, person('ann', { subject: 'u-another' })), [])
  })

  it('include a shared one in which the person has a seat, marked as such', () => {
    const story = begun({ policy: { seats: 3 } })
    story.asks('ann')
    story.obeys()
    assert.deepEqual(
      ownWorkspaces(story.state, person('ann')).map(({ shared }) => shared),
      [true],
    )
    assert.deepEqual(ownWorkspaces(story.state, person('bob')), [])
  })
})
