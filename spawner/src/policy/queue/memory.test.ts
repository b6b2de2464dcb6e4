import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Container, PolicyConfig } from '../domain.ts'
import { begun, nameOf, person, Scenario, templateWith } from '../testing/scenario.ts'
import type { Template } from '../../templates/template.ts'

const limits = { maxMemoryBytes: 4 }
const withMemory = (memoryBytes: number) => ({ limits, spec: { memoryBytes } })

/** From now on the template needs that much. */
function needs(story: Scenario, memoryBytes: number, more: Partial<Template> = {}): Scenario {
  return offers(story, { ...templateWith({}, { memoryBytes }), ...more })
}

function offers(story: Scenario, ...templates: readonly Template[]): Scenario {
  const config: PolicyConfig = {
    ...story.state.config,
    templates: new Map(templates.map((template) => [template.name, template])),
    specOf: ({ spec }) => `spec-of-${spec.memoryBytes}`,
  }
  story.hears({ type: 'config-changed', config })
  return story
}

function running(story: Scenario, ...people: readonly string[]): Scenario {
  for (const who of people) story.asks(who)
  return story.obeys()
}

const usedBy = ({ state }: Scenario) => state.tally.memoryBytes

describe('the memory that is counted', () => {
  it('is what a container was made with, not what its template needs by now', () => {
    const story = running(begun(withMemory(3)), 'ann')
    needs(story, 1)
    assert.equal(usedBy(story), 3)
    running(story, 'bob')
    assert.equal(usedBy(story), 4)
    assert.equal(story.asks('cid').status, 'waiting')
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['ready', 'ready', 'queued'])
  })

  it('stays where the template is not offered any more, and is free once the container is gone', () => {
    const story = running(begun(withMemory(3)), 'ann')
    const other = { ...templateWith({}, { memoryBytes: 2 }), name: 'other' }
    offers(story, other)
    story.asks('bob', { template: 'other' })
    assert.equal(usedBy(story), 3)
    assert.equal(story.phase('bob'), 'queued')
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'stop' })
    story.obeys('stop-container', 'remove-container')
    assert.equal(story.phase('bob'), 'pulling')
    assert.equal(usedBy(story), 2)
  })

  it('is known after a restart, from what the engine says of the container', () => {
    const container: Container = {
      generation: 'g1',
      spec: 'spec-1',
      status: 'running',
      memoryBytes: 3,
      startedAt: 0,
      address: '10.213.0.2',
    }
    const found = {
      workspace: nameOf('ann'),
      template: 'lab',
      kind: 'private',
      owner: person('ann'),
      network: 0,
      container,
    } as const
    const story = new Scenario(withMemory(2)).looks({
      containers: [found],
      networks: [{ index: 0, egress: 'internet', attached: [] }],
    })
    story.connects()
    assert.equal(usedBy(story), 3)
    assert.equal(story.asks('bob').status, 'waiting')
    assert.equal(story.phase('bob'), 'queued')
  })

  it('is the former where the engine lists a container and cannot say more of it', () => {
    const story = running(begun(withMemory(3)), 'ann')
    needs(story, 1)
    const { container, template, kind, owner, network = 0 } = story.workspace('ann')
    const { generation = '', spec = '', status = 'running', address = '' } = container ?? {}
    story.passes(1_000)
    const listed = { generation, spec, status, address, imageId: 'sha256:1' }
    story.looks({
      containers: [{ workspace: nameOf('ann'), template, kind, owner, network, container: listed }],
      networks: [{ index: network, egress: 'internet', attached: ['d1'] }],
    })
    assert.equal(story.workspace('ann').container?.imageId, 'sha256:1')
    assert.equal(usedBy(story), 3)
  })

  it('of a container without a limit is what its template said when it was given its place', () => {
    const container: Container = { generation: 'g1', spec: 's', status: 'running', memoryBytes: 0 }
    const owner = person('ann')
    const found = { workspace: nameOf('ann'), template: 'lab', kind: 'private', owner } as const
    const story = new Scenario(withMemory(3)).looks({ containers: [{ ...found, container }] })
    assert.equal(usedBy(story), 3)
  })
})

describe('a start while the memory of its template changes', () => {
  const pulling = (memoryBytes: number) => {
    const story = running(begun(withMemory(memoryBytes)), 'ann')
    story.asks('bob')
    assert.equal(story.phase('bob'), 'pulling')
    return story
  }

  it('keeps its place, and counts for what its container is made with', () => {
    const story = needs(pulling(1), 3)
    assert.equal(usedBy(story), 2)
    story.obeys()
    assert.equal(story.phase('bob'), 'ready')
    assert.equal(usedBy(story), 4)
  })

  it('goes back to its place in the queue where that is more than there is', () => {
    const story = pulling(2)
    story.asks('cid')
    needs(story, 3)
    story.obeys()
    assert.deepEqual(story.state.queue, [nameOf('bob'), nameOf('cid')])
    assert.equal(usedBy(story), 2)
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'stop' })
    story.obeys()
    assert.deepEqual(story.phases('bob', 'cid'), ['ready', 'queued'])
    assert.equal(usedBy(story), 3)
  })

  it('counts for less from then on where its container needs less', () => {
    const story = needs(pulling(2), 1)
    assert.equal(usedBy(story), 4)
    story.obeys('create-network', 'attach-director', 'pull-image')
    assert.equal(usedBy(story), 3)
  })
})

describe('a container that needs more than its template by now', () => {
  it('makes room for what it was made with when it is evicted', () => {
    const story = running(
      begun({ ...withMemory(3), policy: { idleFreezeMs: 40_000, idleStopMs: 0 } }),
      'ann',
    )
    story.passes(60_000).obeys()
    assert.equal(story.phase('ann'), 'frozen')
    const freezing = templateWith({ idleFreezeMs: 40_000, idleStopMs: 0 }, { memoryBytes: 2 })
    offers(story, freezing)
    story.asks('bob')
    assert.deepEqual(story.phases('ann', 'bob'), ['stopping', 'queued'])
    story.obeys()
    assert.deepEqual(story.phases('ann', 'bob'), ['stopped', 'ready'])
    assert.equal(usedBy(story), 2)
  })
})
