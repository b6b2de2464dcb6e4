import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { workspaceName, parsePrefix, type Prefix } from '@berth/shared/names'
import type { Limits, SeatReply } from '../domain.ts'
import { noLimits } from '../testing/no-limits.ts'
import { begun, person, user, type Scenario } from '../testing/scenario.ts'
import { viewOf } from '../asked/view.ts'
import { testTemplate, type TestTemplate } from '../../templates/testing/test-template.ts'

/** Templates by name, each its own prefix. */
function offering(templates: Record<string, TestTemplate>, limits: Partial<Limits> = {}): Scenario {
  const policy = { idleStopMs: 100_000, startTimeoutMs: 60_000 }
  const made = Object.entries(templates).map(([name, template]) =>
    testTemplate(name, { ...template, policy: { ...policy, ...template.policy } }),
  )
  const all = new Map(made.map((template) => [template.name, template]))
  return begun({ limits, config: { templates: all } })
}
const phase = (story: Scenario, template: string, who: string) =>
  story.state.workspaces.get(workspaceName(parsePrefix(template) as Prefix, user(who)))?.phase
const waits = (story: Scenario, template: string, who: string) =>
  viewOf(story.state, person(who), template, story.now).status.waitsFor
const codeOf = (reply: SeatReply) =>
  reply.status === 'refused' ? reply.failure.code : reply.status

describe('the order of the queue', () => {
  it('keeps the second request of one person behind the first request of another', () => {
    const story = offering({ lab: {}, hub: {} }, { maxWorkspaces: 1 })
    story.asks('zed')
    story.obeys()
    story.asks('ann', { template: 'lab' })
    story.asks('ann', { template: 'hub' })
    story.asks('bob', { template: 'lab' })
    assert.deepEqual(story.state.queue, ['lab-ann', 'lab-bob', 'hub-ann'])
    story.asks('bob', { template: 'hub' })
    assert.deepEqual(story.state.queue, ['lab-ann', 'lab-bob', 'hub-ann', 'hub-bob'])
  })

  it('counts what a person has already', () => {
    const story = offering({ lab: {}, hub: {} }, { maxWorkspaces: 1 })
    story.asks('ann')
    story.obeys()
    story.asks('ann', { template: 'hub' })
    story.asks('bob')
    assert.deepEqual(story.state.queue, ['lab-bob', 'hub-ann'])
  })

  it('moves a second request forward again when the first is cancelled', () => {
    const story = offering({ lab: {}, hub: {} }, { maxWorkspaces: 1 })
    story.asks('zed')
    story.obeys()
    story.asks('ann', { template: 'lab' })
    story.asks('ann', { template: 'hub' })
    story.asks('bob')
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    assert.deepEqual(story.state.queue, ['hub-ann', 'lab-bob'])
  })

  it('keeps a full template from holding up people who wait for another', () => {
    const story = offering({ lab: { policy: { maxWorkspaces: 1 } }, hub: {} })
    story.asks('ann')
    story.asks('bob')
    story.asks('cid', { template: 'hub' })
    assert.equal(phase(story, 'lab', 'bob'), 'queued')
    assert.equal(phase(story, 'hub', 'cid'), 'pulling')
    assert.equal(waits(story, 'lab', 'bob'), 'limit_template')
  })

  it('keeps the order where all wait for a common limit', () => {
    const story = offering(
      { lab: { spec: { memoryBytes: 3 } }, hub: { spec: { memoryBytes: 1 } } },
      { maxMemoryBytes: 5 },
    )
    story.asks('ann')
    story.asks('bob')
    story.asks('cid', { template: 'hub' })
    assert.equal(phase(story, 'lab', 'bob'), 'queued')
    assert.equal(phase(story, 'hub', 'cid'), 'queued')
    assert.equal(waits(story, 'hub', 'cid'), 'limit_memory')
    assert.equal(story.state.tally.memoryBytes, 3)
  })
})

describe('a limit', () => {
  it('of a group counts only its members', () => {
    const maxWorkspacesByGroup = { students: 1 }
    const story = offering({ lab: { policy: { maxWorkspacesByGroup } } })
    story.asks(person('ann', { groups: ['students'] }))
    story.asks(person('bob', { groups: ['students', 'staff'] }))
    story.asks(person('cid'))
    assert.deepEqual(
      ['ann', 'bob', 'cid'].map((who) => phase(story, 'lab', who)),
      ['pulling', 'queued', 'pulling'],
    )
  })

  it('of a group named constructor exists only if the template sets it', () => {
    const policy = { maxWorkspacesByGroup: { students: 1 } }
    const limited = { maxWorkspacesByGroup: { constructor: 1 } }
    const story = offering({ lab: { policy }, hub: { policy: limited } })
    for (const template of ['lab', 'hub'])
      for (const who of ['ann', 'bob'])
        story.asks(person(who, { groups: ['constructor', '__proto__'] }), { template })
    const phases = (template: string) => ['ann', 'bob'].map((who) => phase(story, template, who))
    assert.deepEqual(phases('lab'), ['pulling', 'pulling'])
    assert.deepEqual(phases('hub'), ['pulling', 'queued'])
  })

  it('of memory refuses a template that needs more than there is in all', () => {
    const story = offering({ lab: { spec: { memoryBytes: 9 } } }, { maxMemoryBytes: 5 })
    const reply = story.asks('ann')
    assert.equal(codeOf(reply), 'limit_memory')
    assert.equal(reply.status === 'refused' ? reply.limit : undefined, 5)
    assert.deepEqual(story.state.queue, [])
  })

  it('is shown to the people who wait for it', () => {
    const story = offering({ lab: {} }, { maxWorkspaces: 2, maxStarting: 1 })
    story.asks('ann')
    story.asks('bob')
    assert.equal(waits(story, 'lab', 'bob'), 'starting')
    story.obeys()
    story.asks('cid')
    assert.equal(waits(story, 'lab', 'cid'), 'limit_total')
  })

  it('that is lowered stops nothing, and admits nobody until there is a free place', () => {
    const story = offering({ lab: {} })
    for (const who of ['ann', 'bob']) story.asks(who)
    story.obeys()
    const limits = { ...noLimits, maxWorkspaces: 1 }
    const config = { ...story.state.config, limits }
    story.hears({ type: 'config-changed', config })
    story.asks('cid')
    assert.deepEqual(
      ['ann', 'bob', 'cid'].map((who) => phase(story, 'lab', who)),
      ['ready', 'ready', 'queued'],
    )
  })
})

describe('a frozen workspace', () => {
  const tight: Partial<Limits> = { maxMemoryBytes: 4 }
  const freezing: TestTemplate = {
    spec: { memoryBytes: 2 },
    policy: { idleFreezeMs: 40_000, idleStopMs: 0 },
  }
  const frozen = (limits: Partial<Limits>) => {
    const story = offering({ lab: freezing, hub: { spec: { memoryBytes: 2 } } }, limits)
    for (const who of ['ann', 'bob']) {
      story.asks(who)
      story.obeys()
      story.passes(5_000)
    }
    for (let n = 0; n < 12; n++) story.passes(10_000).obeys('freeze-container')
    assert.deepEqual([phase(story, 'lab', 'ann'), phase(story, 'lab', 'bob')], ['frozen', 'frozen'])
    return story
  }

  it('is evicted when a person waits for memory: least recently used first, no more than needed', () => {
    const story = frozen(tight)
    story.asks('cid', { template: 'hub' })
    assert.equal(phase(story, 'lab', 'ann'), 'stopping')
    assert.equal(phase(story, 'lab', 'bob'), 'frozen')
    assert.equal(
      story.state.workspaces.get(workspaceName(parsePrefix('lab') as Prefix, user('ann')))
        ?.stopReason,
      'evicted',
    )
    story.obeys()
    assert.equal(phase(story, 'lab', 'ann'), 'stopped')
    assert.equal(phase(story, 'hub', 'cid'), 'ready')
    assert.equal(phase(story, 'lab', 'bob'), 'frozen')
  })

  it('stays where eviction is off', () => {
    const story = frozen({ ...tight, evictsFrozen: false })
    story.asks('cid', { template: 'hub' })
    assert.deepEqual([phase(story, 'lab', 'ann'), phase(story, 'hub', 'cid')], ['frozen', 'queued'])
  })

  it('hazard: is not evicted once a person has requested it', () => {
    const story = frozen(tight)
    story.asks('ann')
    story.asks('cid', { template: 'hub' })
    assert.equal(phase(story, 'lab', 'ann'), 'frozen')
    assert.equal(phase(story, 'lab', 'bob'), 'stopping')
    story.obeys()
    assert.equal(phase(story, 'lab', 'ann'), 'ready')
  })

  it('stays where its eviction would not be enough', () => {
    const story = offering(
      { lab: freezing, hub: { spec: { memoryBytes: 4 } }, one: { spec: { memoryBytes: 2 } } },
      tight,
    )
    story.asks('ann')
    story.asks('bob', { template: 'one' })
    story.obeys()
    for (let n = 0; n < 12; n++) {
      story.passes(10_000).obeys('freeze-container')
      story.asks('bob', { template: 'one' })
    }
    assert.equal(phase(story, 'lab', 'ann'), 'frozen')
    story.asks('cid', { template: 'hub' })
    assert.equal(phase(story, 'lab', 'ann'), 'frozen')
    assert.equal(phase(story, 'hub', 'cid'), 'queued')
  })
})
