import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Container, FoundContainer } from '../domain.ts'
import {
  begun,
  director,
  nameOf,
  person,
  Scenario,
  withReady,
  type ScenarioOptions,
} from '../testing/scenario.ts'
import { sameFor } from '../asked/view.ts'

const options: ScenarioOptions = { policy: { idleFreezeMs: 40_000 } }
const ready = (more: ScenarioOptions = {}) =>
  withReady(['ann'], { ...options, ...more, policy: { ...options.policy, ...more.policy } })
const frozen = (more: ScenarioOptions = {}) => ready(more).passes(40_000).obeys()
const code = (story: Scenario, start: 'no' | 'wake' | 'start', who = 'ann') => {
  const reply = story.asks(who, { start, navigation: false })
  return reply.status === 'refused' ? reply.failure.code : reply.status
}

function seenAs(story: Scenario, container: Partial<Container> = {}): FoundContainer {
  const known = story.workspace('ann').container ?? assert.fail()
  return {
    workspace: nameOf('ann'),
    template: 'lab',
    kind: 'private',
    owner: person('ann'),
    network: 0,
    container: { ...known, ...container },
  }
}
const looksAt = (story: Scenario, container: Partial<Container>) =>
  story.passes(10).looks({
    containers: [seenAs(story, container)],
    networks: [{ index: 0, egress: 'internet', attached: [director] }],
  })

describe('an idle workspace', () => {
  it('is frozen first, then stopped, then removed, each counted from the last use', () => {
    const story = ready()
    story.passes(39_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['freeze-container'])
    assert.equal(story.phase('ann'), 'ready')
    story.obeys()
    assert.equal(story.phase('ann'), 'frozen')
    assert.equal(story.workspace('ann').container?.status, 'paused')
    story.passes(59_999)
    assert.equal(story.phase('ann'), 'frozen')
    story.passes(1)
    assert.deepEqual(story.ordered(), ['stop-container'])
    story.obeys().passes(900_000)
    assert.deepEqual(story.ordered(), ['remove-container'])
  })

  it('is frozen and never stopped if stopping is off, until it is removed', () => {
    const story = frozen({ policy: { idleStopMs: 0 } })
    story.passes(959_999)
    assert.equal(story.phase('ann'), 'frozen')
    story.passes(1)
    assert.deepEqual(story.ordered(), ['stop-container'])
    story.obeys()
    assert.equal(story.phase('ann'), 'absent')
  })

  it('stays frozen for ever if the other steps are off', () => {
    const story = frozen({ policy: { idleStopMs: 0, idleRemoveMs: 0 } })
    story.passes(1_000_000_000)
    assert.equal(story.phase('ann'), 'frozen')
    assert.equal(story.nextDeadlineAt, undefined)
  })

  it('hazard: is not frozen under a lease that is still running', () => {
    const story = ready()
    story.passes(39_000)
    story.reports('ann', 39_000)
    story.passes(29_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('is not frozen while a second director holds a lease that the first does not know of', () => {
    const story = ready().connects('d2')
    story.obeys()
    story.passes(20_000)
    assert.equal(story.asks('ann', { director: 'd2', start: 'no' }).status, 'granted')
    story.passes(19_999)
    story.asks('ann', { director: 'd2', start: 'no' })
    story.passes(29_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('goes through freeze and thaw again and again without collecting milestones', () => {
    const story = frozen()
    for (let round = 0; round < 5; round++) {
      assert.equal(story.asks('ann').status, 'waiting')
      story.obeys()
      assert.equal(story.asks('ann').status, 'granted')
      story.passes(40_000).obeys()
      assert.equal(story.phase('ann'), 'frozen')
    }
    assert.ok(story.workspace('ann').milestones.length < 3)
  })
})

describe('while a freeze is under way', () => {
  it('no seat is granted and no lease renewed, and a person who asks is served as soon as the freeze is answered', () => {
    const story = ready().passes(40_000)
    assert.equal(code(story, 'no'), 'workspace_idle')
    assert.deepEqual(story.reports('ann', 40_000), [])
    assert.equal(code(story, 'start'), 'waiting')
    assert.deepEqual(story.reports('ann', 0), [])
    story.obeys('freeze-container')
    assert.deepEqual(story.ordered(), ['thaw-container'])
    assert.equal(code(story, 'start'), 'waiting')
    story.obeys()
    assert.equal(code(story, 'start'), 'granted')
    assert.deepEqual(
      story.history.filter((type) => type.includes('freeze') || type.includes('thaw')),
      ['freeze-container', 'thaw-container'],
    )
  })

  it('ten requests at once cause one thaw', () => {
    const story = ready().passes(40_000)
    for (let index = 0; index < 10; index++) assert.equal(code(story, 'wake'), 'waiting')
    story.obeys('freeze-container')
    for (let index = 0; index < 10; index++) assert.equal(code(story, 'wake'), 'waiting')
    story.obeys()
    assert.equal(story.history.filter((type) => type === 'thaw-container').length, 1)
    for (let index = 0; index < 10; index++) assert.equal(code(story, 'wake'), 'granted')
  })

  it('the end of the lifetime orders the stop only after the freeze is answered', () => {
    const story = ready({ policy: { maxLifetimeMs: 40_005 } }).passes(40_000)
    story.passes(5)
    assert.equal(story.phase('ann'), 'stopping')
    assert.deepEqual(story.ordered(), ['freeze-container'])
    story.obeys('freeze-container')
    assert.deepEqual(story.ordered(), ['stop-container'])
    story.obeys()
    assert.equal(story.phase('ann'), 'stopped')
  })

  it('a container that dies makes the workspace stopped, and the answer to the freeze changes nothing', () => {
    const story = ready().passes(40_000)
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'container-died', generation, exitCode: 1 })
    story.obeys()
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.workspace('ann').container?.status, 'exited')
  })
})

describe('a freeze whose answer takes long', () => {
  it('delays a stop that becomes due until the answer arrives', () => {
    const story = ready({ policy: { idleStopMs: 45_000 } }).passes(45_000)
    assert.equal(story.phase('ann'), 'ready')
    story.obeys('freeze-container')
    assert.deepEqual(story.ordered(), ['stop-container'])
  })
})

describe('a freeze that fails', () => {
  it('leaves the workspace as it was, and is tried again after a rest, not in a loop', () => {
    const story = ready().passes(40_000)
    assert.equal(code(story, 'start'), 'waiting')
    const before = story.state
    story.fails('freeze-container')
    // The waiting request has to notice the change.
    assert.equal(sameFor(before, story.state, nameOf('ann')), false)
    assert.equal(code(story, 'start'), 'granted')
    story.passes(40_000)
    story.fails('freeze-container')
    assert.deepEqual(story.ordered(), [])
    story.passes(9_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['freeze-container'])
    // The person who asked before has been served, so no request waits for the workspace now.
    story.obeys()
    assert.equal(story.phase('ann'), 'frozen')
  })

  it('does not delay the stop', () => {
    const story = ready().passes(40_000)
    for (let tries = 0; story.phase('ann') === 'ready'; tries++) {
      assert.ok(tries < 10)
      if (story.ordered().includes('freeze-container')) story.fails('freeze-container')
      story.passes(10_000)
    }
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('hazard: sends no person to a workspace that may be frozen because the answer was lost', () => {
    const story = ready().passes(40_000)
    story.fails('freeze-container', true)
    assert.equal(story.phase('ann'), 'frozen')
    assert.equal(code(story, 'start'), 'waiting')
    assert.deepEqual(story.ordered(), ['thaw-container'])
    story.obeys()
    assert.equal(code(story, 'start'), 'granted')
  })

  it('is corrected by the next inventory if the answer was lost and the freeze had no effect', () => {
    const story = ready().passes(40_000)
    story.fails('freeze-container', true)
    looksAt(story, { status: 'running' })
    assert.equal(story.phase('ann'), 'ready')
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })
})

describe('a frozen workspace', () => {
  it('is thawed by a request that may wake it, which is held and served, and the time of the thaw is measured', () => {
    const story = frozen()
    const reply = story.asks('ann', { start: 'wake', navigation: false })
    assert.ok(reply.status === 'waiting' && reply.phase === 'frozen')
    assert.deepEqual(story.ordered(), ['thaw-container'])
    story.passes(30)
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    assert.deepEqual(story.state.measured.get('lab')?.frozenMs, [30])
    const announced = story.said.find((step) => step.type === 'announce')
    assert.deepEqual(announced?.start, { kind: 'frozen', ms: 30 })
    assert.ok(!story.history.slice(-3).includes('probe'))
    assert.equal(code(story, 'wake'), 'granted')
    story.passes(39_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['freeze-container'])
  })

  it('is not thawed by background requests, and they do not prolong its life', () => {
    const story = frozen()
    for (let polls = 0; polls < 59; polls++) {
      story.passes(1_000)
      assert.equal(code(story, 'no'), 'workspace_idle')
    }
    assert.deepEqual(story.ordered(), [])
    story.passes(1_000)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('hazard: is not stopped while it thaws for a person who asked at the last moment', () => {
    const story = frozen().passes(59_000)
    assert.equal(code(story, 'wake'), 'waiting')
    story.passes(2_000)
    assert.deepEqual(story.ordered(), ['thaw-container'])
    story.obeys()
    assert.equal(code(story, 'wake'), 'granted')
  })

  it('is removed if its network does not exist, because no director could reach it', () => {
    const story = frozen()
    story.passes(10).looks({ containers: [seenAs(story)] })
    assert.equal(story.phase('ann'), 'stopping')
    story.obeys()
    assert.equal(story.phase('ann'), 'absent')
  })

  it('is not stopped while the engine is unreachable', () => {
    const story = frozen()
    story.hears({ type: 'engine-lost', detail: 'gone' })
    story.passes(500_000)
    assert.equal(story.phase('ann'), 'frozen')
    assert.equal(story.nextDeadlineAt, undefined)
  })

  it('needs no further place to thaw, and keeps the place that it has', () => {
    const story = frozen({ limits: { maxWorkspaces: 1, maxStarting: 1, evictsFrozen: false } })
    assert.equal(code(story, 'start', 'bob'), 'waiting')
    assert.deepEqual(story.phases('ann', 'bob'), ['frozen', 'queued'])
    assert.equal(code(story, 'start'), 'waiting')
    story.obeys()
    assert.deepEqual(story.phases('ann', 'bob'), ['ready', 'queued'])
  })

  it('keeps its container, its network and its memory through freezing and thawing', () => {
    const story = ready()
    const { container, network } = story.workspace('ann')
    story.passes(40_000).obeys()
    story.asks('ann')
    story.obeys()
    const woken = story.workspace('ann')
    assert.deepEqual(woken.container, container)
    assert.equal(woken.network, network)
  })

  it('becomes stopped if its container dies, and is started for a person who asks', () => {
    const story = frozen()
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'container-died', generation, exitCode: 137 })
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(code(story, 'wake'), 'workspace_stopped')
    assert.equal(code(story, 'start'), 'waiting')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('becomes absent if its container is destroyed', () => {
    const story = frozen()
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'container-destroyed', generation })
    assert.equal(story.phase('ann'), 'absent')
  })

  it('ignores the result of its health check', () => {
    const story = frozen()
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'container-health', generation, health: 'unhealthy' })
    assert.equal(story.workspace('ann').container?.health, undefined)
  })

  it('ends with its lifetime', () => {
    const story = frozen({ policy: { maxLifetimeMs: 50_000 } })
    story.passes(10_000)
    assert.deepEqual(story.ordered(), ['stop-container'])
    story.obeys()
    assert.equal(story.workspace('ann').stopReason, 'lifetime')
  })

  it('is left alone while the engine is unreachable, and is thawed when the engine is back', () => {
    const story = frozen()
    story.hears({ type: 'engine-lost', detail: 'gone' })
    assert.equal(code(story, 'start'), 'engine_unreachable')
    story.passes(5_000)
    assert.deepEqual(story.ordered(), [])
    looksAt(story, {})
    assert.deepEqual(story.ordered(), ['thaw-container'])
    story.obeys()
    assert.equal(code(story, 'start'), 'granted')
  })
})

describe('a thaw that fails', () => {
  it('is tried again a few times after a rest', () => {
    const story = frozen()
    story.asks('ann')
    story.fails('thaw-container')
    assert.equal(code(story, 'start'), 'waiting')
    assert.deepEqual(story.ordered(), [])
    story.passes(5_000)
    assert.deepEqual(story.ordered(), ['thaw-container'])
    story.obeys()
    assert.equal(code(story, 'start'), 'granted')
  })

  it('leads to a new start for the person who waits if it fails again and again', () => {
    const story = frozen()
    story.asks('ann')
    for (let tries = 0; story.phase('ann') === 'frozen'; tries++) {
      assert.ok(tries < 6)
      story.fails('thaw-container', tries % 2 === 0)
      story.passes(5_000)
    }
    assert.equal(story.workspace('ann').stopReason, 'replaced')
    assert.equal(story.workspace('ann').wanted, true)
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    assert.equal(story.asks('ann').status, 'granted')
  })

  it('is corrected by the next inventory if only its answer was lost', () => {
    const story = frozen()
    story.asks('ann')
    story.fails('thaw-container', true)
    looksAt(story, { status: 'running' })
    assert.equal(story.phase('ann'), 'ready')
    assert.deepEqual(story.ordered(), [])
    assert.equal(code(story, 'start'), 'granted')
  })
})

describe('an inventory', () => {
  it('makes a ready workspace frozen if it shows that an operator froze it by hand, and the directors are told', () => {
    const story = ready()
    looksAt(story, { status: 'paused' })
    assert.equal(story.phase('ann'), 'frozen')
    assert.ok(story.said.some((step) => step.type === 'revoke'))
    story.asks('ann')
    story.obeys()
    assert.equal(code(story, 'start'), 'granted')
  })

  it('counts it as use if it shows a stopped workspace running and frozen', () => {
    const story = frozen().passes(60_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    story.passes(90_000)
    looksAt(story, { status: 'paused', address: '10.213.0.2' })
    assert.equal(story.phase('ann'), 'frozen')
    story.passes(99_999)
    assert.equal(story.phase('ann'), 'frozen')
  })

  it('does not make a workspace frozen again if it began before the thaw', () => {
    const story = frozen()
    const stale = seenAs(story)
    const startedAt = story.now
    story.passes(10)
    story.asks('ann')
    story.obeys()
    story.looks({
      startedAt,
      containers: [stale],
      networks: [{ index: 0, egress: 'internet', attached: [director] }],
    })
    assert.equal(story.phase('ann'), 'ready')
  })

  it('has a workspace thawed that was frozen before any director reached it, and its start continues', () => {
    const story = begun(options)
    story.asks('ann')
    story.obeys('create-network', 'pull-image', 'create-container', 'start-container')
    assert.equal(story.phase('ann'), 'probing')
    looksAt(story, { status: 'paused' })
    assert.ok(story.ordered().includes('thaw-container'))
    story.obeys('thaw-container')
    assert.equal(story.phase('ann'), 'probing')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })
})

describe('a spawner that starts', () => {
  it('adopts a frozen workspace as frozen and in use now, and thaws it for a person who asks', () => {
    const former = frozen()
    const story = new Scenario({ policy: { idleFreezeMs: 40_000 } })
    story.now = former.now + 90_000
    story
      .looks({
        containers: [seenAs(former)],
        networks: [{ index: 0, egress: 'internet', attached: [director] }],
      })
      .connects()
    assert.equal(story.phase('ann'), 'frozen')
    assert.deepEqual(story.ordered(), [])
    story.passes(99_999)
    assert.equal(story.phase('ann'), 'frozen')
    assert.equal(code(story, 'wake'), 'waiting')
    story.obeys()
    assert.equal(code(story, 'wake'), 'granted')
  })

  it('hazard: notices a freeze that a former spawner ordered and that takes effect only now', () => {
    const former = ready().passes(40_000)
    const story = new Scenario(options)
    story.now = former.now
    story
      .looks({
        containers: [seenAs(former)],
        networks: [{ index: 0, egress: 'internet', attached: [director] }],
      })
      .connects()
    story.obeys()
    assert.equal(story.asks('ann').status, 'granted')
    looksAt(story, { status: 'paused' })
    assert.equal(story.phase('ann'), 'frozen')
    assert.equal(code(story, 'wake'), 'waiting')
    story.obeys()
    assert.equal(code(story, 'wake'), 'granted')
  })

  it('stops a frozen workspace whose template is no longer offered, if no person asks for it', () => {
    const former = frozen()
    const story = new Scenario({ config: { templates: new Map() } })
    story
      .looks({
        containers: [seenAs(former)],
        networks: [{ index: 0, egress: 'internet', attached: [director] }],
      })
      .connects()
    story.passes(15 * 60_000)
    assert.equal(story.phase('ann'), 'stopping')
  })
})
