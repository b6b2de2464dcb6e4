// Properties of the policy that no other test would notice when they break.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { parsePrefix, type Prefix } from '@berth/shared/names'
import { decide } from './decide.ts'
import {
  begun,
  configWith,
  director,
  nameOf,
  person,
  Scenario,
  templateWith,
  withReady,
} from './testing/scenario.ts'

describe('a decision', () => {
  it('does not change the state that it was made from', () => {
    const story = withReady(['ann', 'bob'], { limits: { maxWorkspaces: 2 } })
    const written = () => inspect(story.state, { depth: Infinity, maxArrayLength: Infinity })
    const before = written()
    for (let minutes = 0; minutes < 10; minutes++) {
      const now = story.now + minutes * 60_000
      decide(story.state, { type: 'tick' }, now)
      decide(story.state, { type: 'director-gone', director }, now)
      decide(story.state, { type: 'start-requested', template: 'lab', user: person('cid') }, now)
    }
    assert.equal(written(), before)
  })

  it('keeps the identity of all that did not change, so that callers can compare by identity', () => {
    const story = withReady(['ann', 'bob'])
    const before = story.state
    story.asks('ann')
    assert.equal(story.state.workspaces.get(nameOf('bob')), before.workspaces.get(nameOf('bob')))
    assert.equal(story.state.networks, before.networks)
    assert.equal(story.state.queue, before.queue)
  })
})

describe('the limit of workspaces per person', () => {
  const twoTemplates = () => {
    const lab = templateWith()
    const other = { ...lab, name: 'other', prefix: parsePrefix('other') as Prefix }
    const templates = new Map([lab, other].map((template) => [template.name, template]))
    const limits = { ...configWith().limits, maxWorkspacesPerUser: 1 }
    return new Scenario({ config: { templates, limits } }).looks().connects()
  }

  it('counts the workspaces that the same person has of other templates', () => {
    const story = twoTemplates()
    story.asks('ann')
    const reply = story.asks('ann', { template: 'other' })
    assert.ok(reply.status === 'refused' && reply.failure.code === 'limit_user')
    assert.equal(reply.limit, 1)
    assert.equal(story.asks('bob', { template: 'other' }).status, 'waiting')
  })

  it('does not count stopped workspaces', () => {
    const story = twoTemplates()
    story.asks('ann')
    story.obeys().passes(100_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.asks('ann', { template: 'other' }).status, 'waiting')
  })
})

describe('a probe', () => {
  const probing = () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image')
    story.obeys('create-container', 'start-container')
    story.orders.length = 0
    return story
  }
  const gaveUp = (story: Scenario) => ({
    type: 'probe-answered' as const,
    director,
    workspace: nameOf('ann'),
    generation: story.workspace('ann').container?.generation ?? '',
    reachable: false,
  })

  it('is ordered again after a rest if the director gave up early', () => {
    const story = probing()
    story.hears(gaveUp(story))
    assert.deepEqual(story.ordered(), [])
    story.passes(5_000)
    assert.deepEqual(story.ordered(), ['probe'])
  })

  it('hazard: does not delay the start timeout by failing again and again', () => {
    const story = probing()
    for (let tries = 0; tries < 20 && story.phase('ann') === 'probing'; tries++) {
      story.orders.length = 0
      story.hears(gaveUp(story))
      story.passes(5_000)
    }
    assert.equal(story.phase('ann'), 'stopping')
    assert.equal(story.workspace('ann').failure?.code, 'start_timeout')
  })

  it('lets each request wait meanwhile, whatever it may start', () => {
    const story = probing()
    for (const start of ['no', 'wake', 'start'] as const) {
      const reply = story.asks('ann', { start })
      assert.ok(reply.status === 'waiting' && reply.phase === 'probing')
    }
  })
})

describe('a start whose answer was lost', () => {
  it('may have taken effect: a cancelled container is stopped before it is removed', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image', 'create-container')
    story.fails('start-container', true)
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    assert.deepEqual(story.ordered(), ['stop-container'])
    story.obeys('stop-container')
    assert.deepEqual(story.ordered(), ['remove-container'])
  })
})

describe('cancelling', () => {
  it('announces the workspace as absent, so that the pull for it is abandoned', () => {
    const story = begun()
    story.asks('ann')
    const user = person('ann')
    const { steps } = story.hears({ type: 'cancel-requested', template: 'lab', user })
    assert.deepEqual(
      steps.flatMap((step) => (step.type === 'announce' ? [step.phase] : [])),
      ['absent'],
    )
  })

  it('frees the place at once if the image is being pulled', () => {
    const story = begun({ limits: { maxWorkspaces: 1 } })
    story.asks('ann')
    story.asks('bob')
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    assert.equal(story.phase('bob'), 'pulling')
  })
})

describe('a stop that fails', () => {
  it('is tried again until it succeeds, and the workspace keeps its place', () => {
    const story = withReady(['ann'], { limits: { maxWorkspaces: 1 } })
    story.passes(100_000)
    for (let tries = 0; tries < 50; tries++) {
      story.fails('stop-container')
      assert.deepEqual(story.ordered(), [])
      assert.equal(story.asks('bob').status, 'waiting')
      story.passes(5_000)
      assert.deepEqual(story.ordered(), ['stop-container'])
    }
    assert.deepEqual(story.phases('ann', 'bob'), ['stopping', 'queued'])
    story.obeys()
    assert.deepEqual(story.phases('ann', 'bob'), ['stopped', 'ready'])
  })
})
