import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { begun, director, nameOf, Scenario, withReady } from './testing/scenario.ts'

const spares = (count: number) => ({ config: { spareNetworks: count } })

const egresses = (story: Scenario) => [...story.state.networks.values()].map(({ egress }) => egress)

describe('networks', () => {
  it('are kept as spares with the directors attached, so that no start has to wait for one', () => {
    const story = begun(spares(2)).obeys()
    story.asks('ann')
    assert.deepEqual(story.ordered(), ['pull-image'])
    assert.equal(story.workspace('ann').network, 0)
    assert.deepEqual(story.state.networks.get(0)?.attached, [director])
  })

  it('hazard: a network that is made or removed aborts what a browser on that machine loads: neither is done while a workspace starts, nor shortly after', () => {
    const story = begun(spares(1)).obeys()
    story.asks('ann')
    assert.deepEqual(story.ordered(), ['pull-image'])
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    assert.equal(story.state.networks.size, 1)
    story.passes(9_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['create-network'])
  })

  it('are made as spares again after a start that failed, too', () => {
    const story = begun(spares(1)).obeys()
    story.asks('ann')
    story.fails('pull-image')
    assert.equal(story.phase('ann'), 'failed')
    story.passes(10_000).obeys()
    const unused = [...story.state.networks.values()].filter(({ workspace }) => !workspace)
    assert.equal(unused.length, 1)
  })

  it('are not removed while a workspace starts, unless the pool has no other number', () => {
    for (const [networkCount, ordered] of [
      [64, ['pull-image']],
      [2, ['pull-image', 'remove-network']],
    ] as const) {
      const story = withReady(['ann'], {
        policy: { idleRemoveMs: 1 },
        config: { networkCount, spareNetworks: 0 },
      })
      story.passes(100_000).obeys()
      assert.equal(story.phase('ann'), 'absent')
      story.passes(29_000)
      story.asks('bob')
      story.obeys('create-network', 'attach-director')
      story.passes(1_000)
      assert.deepEqual(story.ordered().toSorted(), ordered, `${networkCount} numbers`)
      story.obeys().passes(10_000)
      assert.ok(story.history.includes('remove-network'))
    }
  })

  it('get the lowest number that is free and not foreign', () => {
    const story = begun().looks({ foreignIndexes: [0, 2] })
    for (const who of ['ann', 'bob']) story.asks(who)
    assert.deepEqual(
      ['ann', 'bob'].map((who) => story.workspace(who).network),
      [1, 3],
    )
  })

  it('hazard: a workspace that may not reach the internet gets a network without internet', () => {
    const story = begun({ spec: { egress: 'none' }, ...spares(1) }).obeys()
    assert.deepEqual(egresses(story), ['none'], 'the spare, too')
    story.asks('ann')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    story.passes(10_000)
    assert.deepEqual(egresses(story), ['none', 'none'])
    const { network } = story.workspace('ann')
    assert.equal(story.state.networks.get(network ?? -1)?.egress, 'none')
  })

  it('hazard: a workspace whose template may no longer reach the internet gets another network', () => {
    const story = withReady(['ann'], spares(1))
    const former = story.workspace('ann').network
    const [lab] = story.state.config.templates.values()
    const closed = { ...lab!, spec: { ...lab!.spec, egress: 'none' as const } }
    const templates = new Map([[closed.name, closed]])
    story.hears({
      type: 'config-changed',
      config: { ...story.state.config, templates, specOf: () => 'closed' },
    })
    story.hears({ type: 'end-requested', workspace: story.workspace('ann').name, how: 'restart' })
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    const { network } = story.workspace('ann')
    assert.notEqual(network, former)
    assert.equal(story.state.networks.get(network ?? -1)?.egress, 'none')
  })

  it('are left alone if a foreign network has their number, and another is created', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('pull-image')
    story.hears({ type: 'network-failed', index: 0, taken: true })
    assert.equal(story.workspace('ann').network, 1)
    assert.ok(story.state.foreignIndexes.has(0))
    story.orders.shift()
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('are retried if they cannot be created, and the start fails in the end', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('pull-image')
    for (let tries = 0; story.phase('ann') === 'creating' && tries < 20; tries++) {
      story.orders.length = 0
      story.hears({ type: 'network-failed', index: 0, taken: false })
      story.passes(5_000)
    }
    assert.equal(story.phase('ann'), 'failed')
    assert.equal(story.workspace('ann').failure?.code, 'start_failed')
  })

  it('hazard: an address is not given to another workspace while a director may still use it', () => {
    const story = withReady(['ann'], { policy: { idleRemoveMs: 1 }, ...spares(1) })
    story.obeys()
    const first = story.workspace('ann').network
    story.passes(99_000)
    story.asks('ann')
    story.passes(100_000).obeys()
    assert.equal(story.phase('ann'), 'absent')
    story.asks('bob')
    assert.notEqual(story.workspace('bob').network, first)
    story.passes(29_999)
    story.asks('cid')
    assert.notEqual(story.workspace('cid').network, first)
    story.passes(1).obeys()
    story.asks('dan')
    assert.equal(story.workspace('dan').network, first)
  })

  it('rest before they are removed, so that a crash does not end their rest', () => {
    const story = withReady(['ann'], { policy: { idleRemoveMs: 1 } })
    story.passes(100_000).obeys()
    assert.equal(story.phase('ann'), 'absent')
    assert.equal(story.state.networks.size, 1)
    story.passes(29_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['remove-network'])
  })

  it('are retried if they cannot be removed', () => {
    const story = withReady(['ann'], { policy: { idleRemoveMs: 1 } })
    story.passes(100_000).obeys()
    story.passes(30_000)
    story.orders.length = 0
    story.hears({ type: 'network-failed', index: 0, taken: false })
    assert.deepEqual(story.ordered(), [])
    story.passes(5_000)
    assert.deepEqual(story.ordered(), ['remove-network'])
  })
})

describe('a pool that is used up', () => {
  it('hazard: a workspace whose former container is removed before its new start keeps its network: another gives up its own', () => {
    const story = withReady(['ann', 'bob'], { config: { networkCount: 2 } })
    for (const who of ['ann', 'bob'])
      story.hears({ type: 'end-requested', workspace: nameOf(who), how: 'stop' })
    story.obeys()
    const outdating = { ...story.state.config, specOf: () => 'another' }
    story.hears({ type: 'config-changed', config: outdating })
    story.orders.length = 0
    story.asks('ann')
    story.asks('cid')
    assert.deepEqual(story.ordered(), ['remove-container', 'remove-container'])
  })

  it('still allows starts: the workspace that has been stopped for longest gives up its network', () => {
    const options = { policy: { idleRemoveMs: 0 }, config: { networkCount: 2 } }
    const story = withReady(['ann'], options)
    story.passes(10_000)
    story.asks('bob')
    story.obeys()
    story.passes(150_000).obeys()
    assert.deepEqual(story.phases('ann', 'bob'), ['stopped', 'stopped'])
    story.asks('cid')
    assert.equal(story.phase('cid'), 'queued')
    assert.deepEqual(story.ordered(), ['remove-container'])
    story.obeys()
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['absent', 'stopped', 'queued'])
    story.passes(29_000)
    story.asks('cid')
    story.passes(1_000).obeys()
    assert.deepEqual(story.phases('bob', 'cid'), ['stopped', 'ready'])
  })

  it('reuses the network of a workspace that ended during a step, as soon as that step has ended', () => {
    const options = { policy: { idleFreezeMs: 40_000 }, config: { networkCount: 1 } }
    const story = withReady(['ann'], options)
    const { generation } = story.workspace('ann').container ?? {}
    assert.ok(generation !== undefined)
    story.passes(39_999)
    story.asks('bob')
    story.passes(1)
    assert.deepEqual(story.ordered(), ['freeze-container'])
    story.hears({ type: 'container-died', generation, exitCode: 1 })
    assert.deepEqual(story.phases('ann', 'bob'), ['stopped', 'queued'])
    story.fails('freeze-container')
    assert.deepEqual(story.ordered(), ['remove-container'])
  })

  it('does not hold up a workspace that has a network', () => {
    const story = withReady(['ann'], { config: { networkCount: 1 } })
    story.passes(100_000)
    story.asks('bob')
    story.obeys('stop-container')
    story.asks('ann')
    assert.deepEqual(story.phases('ann', 'bob'), ['pulling', 'queued'])
  })
})

describe('a director', () => {
  it('is introduced when it is on every network', () => {
    const story = withReady(['ann'], spares(1))
    story.obeys().connects('d2')
    assert.deepEqual(story.ordered(), ['attach-director', 'attach-director'])
    assert.ok(!story.said.some((step) => step.type === 'introduce'))
    story.obeys()
    assert.ok(story.said.some((step) => step.type === 'introduce' && step.director === 'd2'))
  })

  it('is introduced again after its stream broke off', () => {
    const story = withReady(['ann'])
    story.hears({ type: 'director-gone', director })
    story.connects()
    assert.deepEqual(story.said, [{ type: 'introduce', director }])
  })

  it('is introduced also when it cannot be attached, which is retried', () => {
    const story = withReady(['ann'])
    story.connects('d2')
    story.orders.length = 0
    story.hears({ type: 'director-attach-failed', index: 0, director: 'd2', gone: false })
    assert.ok(story.said.some((step) => step.type === 'introduce'))
    story.passes(5_000)
    assert.deepEqual(story.ordered(), ['attach-director'])
  })

  it('is attached when it requests a seat although it is not connected, and for a limited time', () => {
    const story = withReady(['ann'])
    story.asks('ann', { director: 'd9' })
    assert.deepEqual(story.ordered(), ['attach-director'])
    story.orders.length = 0
    story.passes(60_000)
    story.hears({ type: 'director-attach-failed', index: 0, director: 'd9', gone: true })
    story.passes(60_000)
    assert.ok(!story.ordered().includes('attach-director'))
    story.looks({ networks: [{ index: 0, egress: 'internet', attached: [director] }] })
    assert.ok(!story.state.directors.has('d9'))
  })

  it('is not introduced before the first inventory, but at once when the engine does not answer', () => {
    const story = new Scenario().connects()
    assert.deepEqual(story.said, [])
    story.hears({ type: 'engine-lost', detail: 'gone' })
    assert.deepEqual(story.said, [{ type: 'introduce', director }])
  })
})

describe('a network whose removal was ordered', () => {
  it('hazard: is removed in the end although the step had no result', () => {
    const story = begun({ config: { spareNetworks: 0 } })
    story.looks({ networks: [{ index: 0, egress: 'internet', attached: [] }] })
    story.obeys('attach-director')
    story.passes(31_000)
    assert.deepEqual(story.ordered(), ['remove-network'])
    story.orders.length = 0
    story.passes(16 * 60_000)
    story.looks({ networks: [{ index: 0, egress: 'internet', attached: [director] }] })
    assert.deepEqual(story.ordered(), ['remove-network'])
  })
})
