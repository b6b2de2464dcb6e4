import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { begun, director, nameOf, person, Scenario, withReady } from '../testing/scenario.ts'

describe('a start', () => {
  it('takes a place in the same decision that handles the request', () => {
    const story = begun()
    const reply = story.asks('ann')
    assert.deepEqual(reply, { status: 'waiting', workspace: nameOf('ann'), phase: 'pulling' })
    assert.deepEqual(story.ordered(), ['create-network', 'pull-image'])
  })

  it('goes through its phases in order and ends ready', () => {
    const story = begun()
    story.asks('ann')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    assert.deepEqual(
      story.workspace('ann').milestones.map(({ phase }) => phase),
      ['queued', 'pulling', 'creating', 'starting', 'probing', 'ready'],
    )
  })

  it('makes the network and attaches directors while the image is pulled', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'attach-director')
    assert.deepEqual(story.ordered(), ['pull-image'])
    story.obeys('pull-image')
    assert.deepEqual(story.ordered(), ['create-container'])
  })

  it('does not create the container before its network exists', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('pull-image')
    assert.equal(story.phase('ann'), 'creating')
    assert.deepEqual(story.ordered(), ['create-network'])
  })

  it('is probed only by attached directors, once by each', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'pull-image', 'create-container', 'start-container')
    assert.equal(story.phase('ann'), 'probing')
    assert.deepEqual(story.ordered(), ['attach-director'])
    story.obeys('attach-director')
    assert.deepEqual(story.ordered(), ['probe'])
    story.hears({ type: 'tick' })
    assert.deepEqual(story.ordered(), ['probe'])
    story.connects('d2').obeys('attach-director')
    assert.deepEqual(story.ordered(), ['probe', 'probe'])
  })

  it('is probed again by a director whose stream broke off', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'pull-image', 'create-container', 'start-container')
    story.obeys('attach-director')
    story.orders.length = 0
    story.hears({ type: 'director-gone', director })
    story.connects()
    assert.deepEqual(story.ordered(), ['probe'])
  })

  it('waits for the health check of an image that has one', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image', 'create-container')
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({
      type: 'container-started',
      workspace: nameOf('ann'),
      generation,
      address: '10.213.0.2',
      health: 'starting',
    })
    story.orders.length = 0
    story.hears({ type: 'container-health', generation, health: 'unhealthy' })
    assert.deepEqual(story.ordered(), [])
    story.hears({ type: 'container-health', generation, health: 'healthy' })
    assert.deepEqual(story.ordered(), ['probe'])
  })

  it('orders nothing twice, however often the policy decides', () => {
    const story = begun({ config: { spareNetworks: 2 } })
    story.asks('ann')
    const steps = [1, 2, 3].flatMap(() => story.hears({ type: 'tick' }).steps)
    assert.deepEqual(steps, [])
  })

  it('reports how long it took, counted from the time the place was taken', () => {
    const story = begun()
    story.asks('ann')
    story.passes(700)
    story.obeys('create-network', 'attach-director', 'pull-image')
    story.obeys('create-container', 'start-container')
    const { steps } = story.hears({
      type: 'probe-answered',
      director,
      workspace: nameOf('ann'),
      generation: story.workspace('ann').container?.generation ?? '',
      reachable: true,
    })
    assert.deepEqual(
      steps.find((step) => step.type === 'announce'),
      {
        type: 'announce',
        workspace: nameOf('ann'),
        phase: 'ready',
        start: { kind: 'cold', ms: 700 },
      },
    )
  })

  it('shows pull progress only while the image is pulled', () => {
    const story = begun()
    story.asks('ann')
    story.hears({ type: 'pull-progressed', workspace: nameOf('ann'), percent: 40 })
    assert.equal(story.workspace('ann').pullPercent, 40)
    story.obeys()
    story.hears({ type: 'pull-progressed', workspace: nameOf('ann'), percent: 50 })
    assert.equal(story.workspace('ann').pullPercent, undefined)
  })
})

describe('step results that no workspace waits for', () => {
  it('change nothing if they are of an earlier container', () => {
    const story = withReady(['ann'])
    const before = story.state
    const workspace = nameOf('ann')
    story.hears({ type: 'image-present', workspace, image: 'berth/lab' })
    story.hears({ type: 'container-started', workspace, generation: 'old', address: '10.9.9.9' })
    story.hears({ type: 'container-stopped', workspace, generation: 'old' })
    story.hears({ type: 'container-removed', workspace })
    story.hears({ type: 'container-died', generation: 'old', exitCode: 1 })
    story.hears({ type: 'probe-answered', director, workspace, generation: 'old', reachable: true })
    assert.deepEqual(story.state, before)
    assert.deepEqual(story.orders, [])
  })

  it('change nothing if they name workspaces or networks that do not exist', () => {
    const story = begun()
    const before = story.state
    const workspace = nameOf('nobody')
    story.hears({ type: 'image-present', workspace, image: 'berth/lab' })
    story.hears({ type: 'container-removed', workspace })
    story.hears({ type: 'network-created', index: 7 })
    story.hears({ type: 'network-removed', index: 7 })
    story.hears({ type: 'director-attached', index: 7, director })
    assert.deepEqual(story.state, before)
  })
})

describe('a failed start', () => {
  it('has its container stopped, its log read and its failure kept if it never became ready', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image')
    story.obeys('create-container', 'start-container')
    story.orders.length = 0
    story.passes(62_000)
    assert.deepEqual(story.ordered(), ['stop-container'])
    story.obeys()
    const { phase, failure, container, network } = story.workspace('ann')
    assert.equal(phase, 'failed')
    assert.equal(failure?.code, 'start_timeout')
    assert.deepEqual(failure.log, ['last words'])
    assert.equal(container, undefined)
    assert.equal(network, undefined)
  })

  it('reports the exit code if the container exits during the start', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'pull-image', 'create-container', 'start-container')
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'container-died', generation, exitCode: 3 })
    story.obeys()
    const { phase, failure } = story.workspace('ann')
    assert.equal(phase, 'failed')
    assert.equal(failure?.exitCode, 3)
    assert.match(failure.detail, /exited with code 3/)
  })

  it('is a failure also if the container exits before the start is answered', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'pull-image', 'create-container')
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'container-died', generation, exitCode: 127 })
    story.obeys()
    assert.equal(story.phase('ann'), 'failed')
    assert.equal(story.workspace('ann').failure?.exitCode, 127)
  })

  it('is told to each person who asks, and starts again only when a person requests that', () => {
    const story = begun()
    story.asks('ann')
    story.fails('pull-image')
    for (const start of ['no', 'wake', 'start'] as const) {
      const reply = story.asks('ann', { start })
      assert.equal(reply.status, 'refused')
      assert.equal(reply.failure.detail, 'pull-image failed')
    }
    assert.equal(story.phase('ann'), 'failed')
    story.hears({ type: 'start-requested', template: 'lab', user: person('ann') })
    assert.equal(story.phase('ann'), 'pulling')
    assert.equal(story.workspace('ann').failure, undefined)
  })

  it('is tried again after a rest if the engine was the cause, up to the start timeout', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network')
    for (let tries = 0; tries < 12; tries++) {
      story.fails('pull-image', true)
      assert.equal(story.phase('ann'), 'pulling')
      assert.ok(!story.ordered().includes('pull-image'))
      story.passes(5_000)
      assert.ok(story.ordered().includes('pull-image'))
    }
    story.passes(1)
    story.fails('pull-image', true)
    assert.equal(story.phase('ann'), 'failed')
  })

  it('is forgotten after a while', () => {
    const story = begun()
    story.asks('ann')
    story.fails('pull-image')
    story.passes(3_600_000)
    assert.equal(story.phase('ann'), 'absent')
  })

  it('frees its place and its network', () => {
    const story = begun({ limits: { maxWorkspaces: 1 } })
    story.asks('ann')
    story.asks('bob')
    assert.deepEqual(story.phases('ann', 'bob'), ['pulling', 'queued'])
    story.fails('pull-image')
    assert.deepEqual(story.phases('ann', 'bob'), ['failed', 'pulling'])
  })

  it('keeps its place until a container that may run is removed', () => {
    const story = begun({ limits: { maxWorkspaces: 1 } })
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image')
    story.obeys('create-container', 'start-container')
    story.passes(50_000)
    story.asks('bob')
    story.passes(20_000)
    assert.deepEqual(story.phases('ann', 'bob'), ['stopping', 'queued'])
    story.obeys('stop-container', 'remove-container')
    assert.deepEqual(story.phases('ann', 'bob'), ['failed', 'pulling'])
  })
})

describe('cancelling', () => {
  it('removes the workspace from the queue', () => {
    const story = withReady(['ann'], { limits: { maxWorkspaces: 1 } })
    story.asks('bob')
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('bob') })
    assert.deepEqual(story.state.queue, [])
    story.passes(1)
    assert.equal(story.asks('bob', { start: 'no' }).status, 'refused')
  })

  it('is not undone by requests that have been held since before', () => {
    const story = withReady(['ann'], { limits: { maxWorkspaces: 1 } })
    const since = story.now
    story.asks('bob', { navigation: false })
    story.passes(10)
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('bob') })
    const held = story.asks('bob', { navigation: false, since })
    assert.equal(held.status, 'refused')
    assert.deepEqual(story.state.queue, [])
    story.passes(1)
    assert.equal(story.asks('bob').status, 'waiting')
  })

  it('removes the container if it was being made at that time', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'pull-image')
    assert.ok(story.ordered().includes('create-container'))
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    assert.equal(story.phase('ann'), 'stopping')
    story.obeys('create-container')
    assert.ok(story.ordered().includes('remove-container'))
    story.obeys()
    assert.equal(story.state.workspaces.get(nameOf('ann'))?.container, undefined)
    assert.equal(story.phase('ann'), 'stopped')
  })

  it('stops and removes a container that is starting', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'pull-image', 'create-container')
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    story.obeys('start-container')
    assert.ok(story.ordered().includes('stop-container'))
    story.obeys()
    assert.equal(story.workspace('ann').container, undefined)
  })

  it('keeps the container of a workspace that was stopped before', () => {
    const story = withReady(['ann'])
    story.passes(200_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    story.asks('ann')
    assert.equal(story.phase('ann'), 'starting')
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    story.obeys()
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.workspace('ann').container?.status, 'exited')
  })

  it('does nothing to a workspace that is ready, or that another person owns', () => {
    const story = withReady(['ann'])
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    story.hears({
      type: 'cancel-requested',
      template: 'lab',
      user: person('ann', { subject: 'another' }),
    })
    assert.equal(story.phase('ann'), 'ready')
  })
})

describe('before the first inventory', () => {
  it('no step is ordered, and seat requests wait', () => {
    const story = new Scenario().connects()
    assert.equal(story.asks('ann').status, 'waiting')
    assert.deepEqual(story.orders, [])
    assert.equal(story.state.workspaces.size, 0)
  })
})
