import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idleAt, idleRemoveAt, idleStopAt } from '../state/deadlines.ts'
import { leaseTimes } from '../state/lease-times.ts'
import { director, nameOf, person, templateWith, withReady } from '../testing/scenario.ts'

describe('a lease', () => {
  it('is granted when the workspace is ready, and names container and address', () => {
    const story = withReady(['ann'])
    const reply = story.asks('ann')
    assert.deepEqual(reply, {
      status: 'granted',
      workspace: nameOf('ann'),
      generation: story.workspace('ann').container?.generation,
      address: { host: '10.213.0.2', port: 8888 },
      leaseMs: 20_000,
    })
    assert.equal(story.workspace('ann').leasedUntil, story.now + 30_000)
  })

  it('waits until the director that asks is attached', () => {
    const story = withReady(['ann'])
    const first = story.asks('ann', { director: 'd2' })
    assert.ok(first.status === 'waiting' && first.phase === 'ready')
    assert.deepEqual(story.ordered(), ['attach-director'])
    story.obeys()
    assert.equal(story.asks('ann', { director: 'd2' }).status, 'granted')
  })

  it('is granted while the engine is unreachable, and starts are refused with the reason', () => {
    const story = withReady(['ann'])
    story.hears({ type: 'engine-lost', detail: 'connection refused' })
    assert.equal(story.asks('ann').status, 'granted')
    const reply = story.asks('bob')
    assert.ok(reply.status === 'refused' && reply.failure.code === 'engine_unreachable')
    assert.equal(story.phase('bob'), 'absent')
  })

  it('is not granted to a director that could not connect until the workspace is probed again', () => {
    const story = withReady(['ann'])
    story.passes(5_000)
    const unreachable = story.workspace('ann').container?.generation ?? ''
    const since = story.now
    const reply = story.asks('ann', { unreachable })
    assert.ok(reply.status === 'waiting' && reply.phase === 'probing')
    assert.deepEqual(story.ordered(), ['probe'])
    story.passes(20)
    story.obeys()
    // The held request is submitted again unchanged, and does not cause another probe.
    assert.equal(story.asks('ann', { unreachable, since }).status, 'granted')
  })

  it('is not cut short by another director that cannot connect, however short the start timeout is', () => {
    const story = withReady(['ann'], { policy: { startTimeoutMs: 5_000 } })
    const { leasedUntil, container } = story.workspace('ann')
    story.asks('ann', { unreachable: container?.generation ?? '' })
    story.passes(leasedUntil - story.now - 1)
    assert.equal(story.phase('ann'), 'probing')
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('is granted although the request names an old generation as unreachable', () => {
    const story = withReady(['ann'])
    assert.equal(story.asks('ann', { unreachable: 'old' }).status, 'granted')
  })
})

describe('idleness', () => {
  it('stops a workspace that was not used for the configured time', () => {
    const story = withReady(['ann'])
    story.passes(99_999)
    assert.equal(story.phase('ann'), 'ready')
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
    assert.deepEqual(story.ordered(), ['stop-container'])
  })

  it('counts from the last use that is reported, not from the report', () => {
    const story = withReady(['ann'])
    story.passes(60_000)
    assert.deepEqual(story.reports('ann', 20_000), [nameOf('ann')])
    story.passes(79_999)
    assert.equal(story.phase('ann'), 'ready')
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('hazard: does not stop a workspace under a lease that is still running', () => {
    const story = withReady(['ann'])
    story.passes(99_000)
    assert.deepEqual(story.reports('ann', 99_000), [nameOf('ann')])
    story.passes(29_999)
    assert.equal(story.phase('ann'), 'ready')
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('hazard: is not interrupted by the background requests of a forgotten tab', () => {
    const story = withReady(['ann'])
    for (let polls = 0; polls < 130 && story.phase('ann') === 'ready'; polls++) {
      story.passes(1_000)
      story.asks('ann', { start: 'no', navigation: false })
      story.reports('ann', 200_000)
    }
    assert.equal(story.phase('ann'), 'stopping')
    const polled = story.asks('ann', { start: 'no', navigation: false })
    assert.ok(polled.status === 'refused' && polled.failure.code === 'workspace_idle')
  })

  it('refuses background requests once the workspace is due, and a person is still served', () => {
    const story = withReady(['ann'])
    story.passes(95_000)
    story.reports('ann', 95_000)
    story.passes(6_000)
    assert.equal(story.phase('ann'), 'ready')
    const polled = story.asks('ann', { start: 'no' })
    assert.ok(polled.status === 'refused' && polled.failure.code === 'workspace_idle')
    assert.deepEqual(story.reports('ann', 101_000), [])
    assert.equal(story.asks('ann').status, 'granted')
    story.passes(99_999)
    assert.equal(story.phase('ann'), 'ready')
  })

  it('leaves a lease that was given before as it is once the workspace is due, without renewing it', () => {
    const story = withReady(['ann'])
    story.passes(95_000)
    story.reports('ann', 95_000)
    story.passes(6_000)
    const seats = [
      { workspace: nameOf('ann'), user: person('ann').name, lastUseAgoMs: 101_000, connections: 0 },
    ]
    const { reply } = story.hears({ type: 'activity-reported', director, seats })
    assert.deepEqual(reply, [
      { workspace: nameOf('ann'), user: 'ann', leaseMs: 0, unusedEndsInMs: 0 },
    ])
    story.passes(23_999)
    assert.equal(story.phase('ann'), 'ready')
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('is not interrupted by use that a director reports for another person', () => {
    const story = withReady(['ann'])
    story.passes(60_000)
    const seats = [
      { workspace: nameOf('ann'), user: person('bob').name, lastUseAgoMs: 0, connections: 0 },
    ]
    const { steps, reply } = story.hears({ type: 'activity-reported', director, seats })
    assert.deepEqual(steps, [])
    assert.deepEqual(reply, [])
    story.passes(40_000)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('removes a stopped workspace later, container and network, and forgets it', () => {
    const story = withReady(['ann'])
    story.passes(100_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    story.passes(900_000)
    assert.deepEqual(story.ordered(), ['remove-container'])
    story.obeys()
    assert.equal(story.phase('ann'), 'absent')
    story.passes(30_000).obeys()
    assert.equal(story.state.networks.size, 0)
  })

  it('has no effect if its times are zero', () => {
    const story = withReady(['ann'], { policy: { idleStopMs: 0, idleRemoveMs: 0 } })
    story.passes(1_000_000_000)
    assert.equal(story.phase('ann'), 'ready')
  })
})

describe('a standby', () => {
  it('is not idle before a person claims it', () => {
    const story = withReady(['ann'], { policy: { idleFreezeMs: 40_000 } })
    const standby = { ...story.workspace('ann'), kind: 'standby' } as const
    for (const dueAt of [idleAt, idleStopAt, idleRemoveAt])
      assert.equal(dueAt(story.state.config, standby), Infinity)
  })
})

describe('a stopped workspace', () => {
  it('starts again in its container and on its network', () => {
    const story = withReady(['ann'])
    const { network, container } = story.workspace('ann')
    story.passes(100_000).obeys()
    story.asks('ann')
    assert.deepEqual(story.ordered(), ['start-container'])
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    assert.equal(story.workspace('ann').network, network)
    assert.equal(story.workspace('ann').container?.generation, container?.generation)
  })

  it('gets a new container if its template has changed', () => {
    let spec = 'spec-1'
    const story = withReady(['ann'], { config: { specOf: () => spec } })
    story.passes(100_000).obeys()
    spec = 'spec-2'
    story.asks('ann')
    assert.deepEqual(story.ordered(), ['remove-container'])
    story.obeys('remove-container')
    assert.deepEqual(story.ordered(), ['pull-image'])
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('gets a new container if its image name now resolves to another image', () => {
    const story = withReady(['ann'])
    story.passes(100_000).obeys()
    const { name, template, kind, owner, network = 0, container } = story.workspace('ann')
    assert.ok(container)
    const former = { ...container, imageId: 'former' }
    story.passes(1).looks({
      containers: [{ workspace: name, template, kind, owner, network, container: former }],
      networks: [{ index: network, egress: 'internet', attached: [director] }],
      images: new Map([[templateWith().spec.image, 'latest']]),
    })
    story.asks('ann')
    assert.deepEqual(story.ordered(), ['remove-container'])
  })

  const answers = [
    ['no', 'workspace_idle'],
    ['wake', 'workspace_stopped'],
  ] as const
  for (const [start, code] of answers)
    it(`answers ${code} to a request that may ${start === 'no' ? 'do nothing' : 'only wake'}`, () => {
      const story = withReady(['ann'])
      const absent = story.asks('bob', { start })
      assert.ok(absent.status === 'refused' && absent.failure.code === code)
      story.passes(100_000)
      const stopping = story.asks('ann', { start })
      assert.ok(stopping.status === 'refused' && stopping.failure.code === code)
      story.obeys()
      const stopped = story.asks('ann', { start })
      assert.ok(stopped.status === 'refused' && stopped.failure.code === code)
      assert.deepEqual(story.phases('ann', 'bob'), ['stopped', 'absent'])
    })

  it('starts again after the stop if a person requested it while it stopped', () => {
    const story = withReady(['ann'])
    story.passes(100_000)
    const reply = story.asks('ann')
    assert.ok(reply.status === 'waiting' && reply.phase === 'stopping')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('hazard: does not fail because the event of its stop arrives after the next start', () => {
    const story = withReady(['ann'])
    story.passes(100_000)
    const generation = story.workspace('ann').container?.generation ?? ''
    story.orders.length = 0
    story.hears({ type: 'container-stopped', workspace: nameOf('ann'), generation, exitCode: 143 })
    story.asks('ann')
    story.hears({ type: 'container-died', generation, exitCode: 143 })
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    story.hears({ type: 'container-died', generation, exitCode: 1 })
    assert.equal(story.phase('ann'), 'stopped')
  })

  it('keeps its exit code if it ended by itself, and starts when a person asks', () => {
    const story = withReady(['ann'])
    const generation = story.workspace('ann').container?.generation ?? ''
    const said = story.hears({ type: 'container-died', generation, exitCode: 137 })
    assert.ok(said.steps.some((step) => step.type === 'revoke'))
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.workspace('ann').container?.exitCode, 137)
    assert.equal(story.asks('ann').status, 'waiting')
    assert.equal(story.phase('ann'), 'starting')
  })
})

describe('the maximum lifetime', () => {
  const options = { policy: { maxLifetimeMs: 50_000 } }

  it('ends a workspace on time, whether leased or not, and tells the directors first', () => {
    const story = withReady(['ann'], options)
    story.passes(49_999)
    assert.equal(story.asks('ann').status, 'granted')
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
    assert.deepEqual(story.history.slice(-3), ['revoke', 'stop-container', 'announce'])
  })

  it('is told once to a navigation, and the next navigation starts the workspace', () => {
    const story = withReady(['ann'], options)
    story.passes(50_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.workspace('ann').container, undefined)
    const told = story.asks('ann')
    assert.ok(told.status === 'refused' && told.failure.code === 'workspace_stopped')
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.asks('ann').status, 'waiting')
    assert.equal(story.phase('ann'), 'pulling')
  })

  it('does not make a program wait for a page', () => {
    const story = withReady(['ann'], options)
    story.passes(50_000)
    assert.equal(story.asks('ann', { navigation: false }).status, 'waiting')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('stops being told as soon as the person requests a start', () => {
    const story = withReady(['ann'], options)
    story.passes(50_000).obeys()
    story.hears({ type: 'start-requested', template: 'lab', user: person('ann') })
    assert.equal(story.phase('ann'), 'pulling')
  })

  it('hazard: is told to a navigation that arrives during the stop, which does not start the workspace', () => {
    const story = withReady(['ann'], options)
    story.passes(50_000)
    assert.equal(story.asks('ann').status, 'waiting')
    story.obeys()
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.asks('ann').status, 'refused')
  })
})

describe('lease times', () => {
  it('are at most a quarter of the shortest idle step and 30 s', () => {
    const cases = [
      [[{ idleStopMs: 0, idleRemoveMs: 0 }], 30_000],
      [[{ idleStopMs: 3_600_000 }], 30_000],
      [[{ idleStopMs: 8_000 }], 2_000],
      [[{ idleFreezeMs: 4_000, idleStopMs: 8_000 }], 1_000],
      [[{ idleStopMs: 60_000 }, { idleStopMs: 20_000, idleRemoveMs: 40_000 }], 5_000],
    ] as const
    for (const [policies, leaseMs] of cases)
      assert.deepEqual(leaseTimes(policies.map((policy) => templateWith(policy))), {
        leaseMs,
        marginMs: leaseMs / 2,
      })
  })
})
