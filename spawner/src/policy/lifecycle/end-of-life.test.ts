import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { drainsAt } from '../state/deadlines.ts'
import { extensionOf } from './end-of-life.ts'
import {
  begun,
  nameOf,
  person,
  templateWith,
  withReady,
  type Scenario,
} from '../testing/scenario.ts'
import { sameFor } from '../asked/view.ts'

const lifetime = { maxLifetimeMs: 50_000, extensionMs: 20_000 }
const extend = (story: Scenario, user = person('ann')) =>
  story.hears({ type: 'extend-requested', workspace: nameOf('ann'), user })
const ends = (story: Scenario, how: 'stop' | 'remove' | 'restart') =>
  story.hears({ type: 'end-requested', workspace: nameOf('ann'), how })

describe('the end of a lifetime', () => {
  it('is announced when a tenth of the lifetime is left, and followers notice', () => {
    const story = withReady(['ann'], { policy: lifetime })
    story.passes(44_999)
    assert.equal(story.workspace('ann').endWarned, false)
    const before = story.state
    story.passes(1)
    assert.equal(story.workspace('ann').endWarned, true)
    assert.equal(sameFor(before, story.state, nameOf('ann')), false)
  })

  it('is announced ten minutes ahead if the lifetime is long', () => {
    const day = 86_400_000
    const story = withReady(['ann'], { policy: { maxLifetimeMs: day, idleStopMs: 0 } })
    story.passes(day - 600_001)
    assert.equal(story.workspace('ann').endWarned, false)
    story.passes(1)
    assert.equal(story.workspace('ann').endWarned, true)
  })

  it('is announced for a frozen workspace too, and while the engine is unreachable', () => {
    const story = withReady(['ann'], { policy: { ...lifetime, idleFreezeMs: 10_000 } })
    story.passes(10_000).passes(30_000).obeys()
    assert.equal(story.phase('ann'), 'frozen')
    story.hears({ type: 'engine-lost', detail: 'gone' })
    story.passes(5_000)
    assert.equal(story.workspace('ann').endWarned, true)
  })

  it('hazard: a shorter lifetime does not end running work without notice', () => {
    const hour = 3_600_000
    const story = withReady(['ann'], { policy: { maxLifetimeMs: 0, idleStopMs: 0 } })
    story.passes(9 * hour)
    const template = templateWith({ maxLifetimeMs: 8 * hour, idleStopMs: 0 })
    const config = { ...story.state.config, templates: new Map([['lab', template]]) }
    story.hears({ type: 'config-changed', config })
    assert.deepEqual([story.phase('ann'), story.workspace('ann').endWarned], ['ready', true])
    const reply = story.asks('ann')
    assert.ok(reply.status === 'granted' && reply.endsAt === story.now + 600_000)
    story.passes(599_999)
    assert.equal(story.phase('ann'), 'ready')
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('is told with each grant', () => {
    const story = withReady(['ann'], { policy: lifetime })
    story.passes(10_000)
    const reply = story.asks('ann')
    assert.ok(reply.status === 'granted' && reply.endsAt === story.now + 40_000)
  })

  it('is extended once by the owner, which withdraws the announcement', () => {
    const story = withReady(['ann'], { policy: lifetime })
    story.passes(46_000)
    assert.equal(extensionOf(story.state.config, story.workspace('ann')), 20_000)
    extend(story)
    assert.equal(story.workspace('ann').endWarned, false)
    assert.equal(extensionOf(story.state.config, story.workspace('ann')), 0)
    extend(story)
    const reply = story.asks('ann')
    assert.ok(reply.status === 'granted' && reply.endsAt === story.now + 24_000)
    story.passes(23_999)
    assert.equal(story.phase('ann'), 'ready')
    assert.equal(story.workspace('ann').endWarned, true)
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('may be extended again in the next life of the workspace', () => {
    const story = withReady(['ann'], { policy: lifetime })
    extend(story)
    story.passes(70_000).obeys()
    story.hears({ type: 'start-requested', template: 'lab', user: person('ann') })
    story.obeys()
    assert.equal(story.workspace('ann').extendedMs, 0)
    extend(story)
    assert.equal(story.workspace('ann').extendedMs, 20_000)
  })

  it('is not extended by other people, by a person who has the same name, or if extensions are not offered', () => {
    const story = withReady(['ann'], { policy: lifetime })
    extend(story, person('bob'))
    extend(story, person('ann', { subject: 'u-another' }))
    assert.equal(story.workspace('ann').extendedMs, 0)
    const without = withReady(['ann'], { policy: { maxLifetimeMs: 50_000 } })
    extend(without)
    assert.equal(without.workspace('ann').extendedMs, 0)
    const endless = withReady(['ann'], { policy: { extensionMs: 20_000 } })
    extend(endless)
    assert.equal(endless.workspace('ann').extendedMs, 0)
  })

  it('is not extended for a workspace that does not run', () => {
    const story = withReady(['ann'], { policy: { ...lifetime, idleStopMs: 10_000 } })
    story.passes(40_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    extend(story)
    assert.equal(story.workspace('ann').extendedMs, 0)
  })
})

describe('draining', () => {
  it('begins the configured time after the start', () => {
    const story = withReady(['ann'], { policy: { drainAfterMs: 70_000 } })
    const startedAt = story.workspace('ann').container?.startedAt ?? assert.fail()
    assert.equal(drainsAt(story.state.config, story.workspace('ann')), startedAt + 70_000)
    const endless = withReady(['ann'])
    assert.equal(drainsAt(endless.state.config, endless.workspace('ann')), Infinity)
  })
})

describe('a request to end a workspace', () => {
  it('stops it at once, whether leased or not, and it can be started again', () => {
    const story = withReady(['ann'])
    assert.equal(story.asks('ann').status, 'granted')
    ends(story, 'stop')
    assert.equal(story.phase('ann'), 'stopping')
    assert.deepEqual(story.history.slice(-3), ['revoke', 'stop-container', 'announce'])
    story.obeys()
    assert.equal(story.phase('ann'), 'stopped')
    assert.ok(story.workspace('ann').container)
    assert.equal(story.workspace('ann').stopReason, 'asked')
    story.asks('ann')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('is not undone by requests that have been held since before', () => {
    const story = withReady(['ann'])
    const since = story.now
    story.passes(10)
    ends(story, 'stop')
    assert.equal(story.asks('ann', { since }).status, 'waiting')
    story.obeys()
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.asks('ann', { since }).status, 'refused')
    assert.equal(story.asks('ann').status, 'waiting')
  })

  it('removes the workspace with its container', () => {
    const story = withReady(['ann'])
    ends(story, 'remove')
    story.obeys()
    assert.equal(story.state.workspaces.get(nameOf('ann'))?.container, undefined)
    assert.equal(story.workspace('ann').network, undefined)
    story.passes(3_600_000)
    assert.equal(story.phase('ann'), 'absent')
  })

  it('removes also a workspace that is already being stopped for idleness', () => {
    const story = withReady(['ann']).passes(100_000)
    ends(story, 'remove')
    story.obeys()
    assert.equal(story.workspace('ann').container, undefined)
  })

  it('frees at once the place of a workspace whose image is being pulled', () => {
    const story = begun()
    story.asks('ann')
    ends(story, 'stop')
    assert.equal(story.phase('ann'), 'stopped')
  })

  it('restarts the workspace from the present template', () => {
    let spec = 'spec-1'
    const story = withReady(['ann'], { config: { specOf: () => spec } })
    const { generation } = story.workspace('ann').container ?? assert.fail()
    spec = 'spec-2'
    ends(story, 'restart')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    assert.notEqual(story.workspace('ann').container?.generation, generation)
  })

  it('restarts also a workspace that takes longer to stop than any request waits', () => {
    const story = withReady(['ann'])
    ends(story, 'restart')
    story.passes(300_000).obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('hazard: a restart of an evicted workspace does not overtake the person it was evicted for', () => {
    const story = withReady(['ann'], {
      limits: { maxWorkspaces: 1 },
      policy: { idleFreezeMs: 40_000 },
    })
    story.passes(40_000).obeys()
    story.asks('bob')
    assert.deepEqual(story.phases('ann', 'bob'), ['stopping', 'queued'])
    ends(story, 'restart')
    story.obeys()
    assert.deepEqual(story.phases('ann', 'bob'), ['queued', 'ready'])
  })

  it('hazard: a restart that is requested before the freeze is answered ends with a running container', () => {
    const story = withReady(['ann'], { policy: { idleFreezeMs: 40_000 } }).passes(40_000)
    ends(story, 'restart')
    assert.deepEqual(story.ordered(), ['freeze-container'])
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    assert.equal(story.workspace('ann').container?.status, 'running')
  })

  for (const how of ['stop', 'remove', 'restart'] as const) {
    it(`can ${how} a frozen workspace`, () => {
      const story = withReady(['ann'], { policy: { idleFreezeMs: 40_000 } })
      story.passes(40_000).obeys()
      ends(story, how)
      assert.deepEqual(story.ordered(), ['stop-container'])
      story.obeys()
      const phases = { stop: 'stopped', remove: 'stopped', restart: 'ready' }
      assert.equal(story.phase('ann'), phases[how])
    })

    it(`can ${how} a stopped workspace`, () => {
      const story = withReady(['ann']).passes(100_000).obeys()
      assert.equal(story.phase('ann'), 'stopped')
      ends(story, how)
      story.obeys()
      const phases = { stop: 'stopped', remove: 'absent', restart: 'ready' }
      assert.equal(story.phase('ann'), phases[how])
    })

    it(`can ${how} a workspace that is being stopped`, () => {
      const story = withReady(['ann']).passes(100_000)
      assert.equal(story.phase('ann'), 'stopping')
      ends(story, how)
      story.obeys()
      assert.equal(story.phase('ann'), how === 'restart' ? 'ready' : 'stopped')
    })

    it(`can ${how} a workspace that is starting`, () => {
      for (const done of ['create-network', 'pull-image', 'create-container', 'start-container']) {
        const story = begun()
        story.asks('ann')
        story.obeys('create-network', 'attach-director', 'pull-image')
        if (done === 'create-container') story.obeys('create-container')
        if (done === 'start-container') story.obeys('create-container', 'start-container')
        ends(story, how)
        story.obeys()
        assert.equal(story.phase('ann'), how === 'restart' ? 'ready' : 'stopped', done)
      }
    })

    it(`can ${how} a workspace that waits in the queue or has failed`, () => {
      const queued = begun({ limits: { maxStarting: 1 } })
      queued.asks('bob')
      queued.asks('ann')
      ends(queued, how)
      assert.equal(queued.phase('ann'), how === 'restart' ? 'queued' : 'stopped')
      const failed = begun()
      failed.asks('ann')
      failed.fails('pull-image').obeys()
      assert.equal(failed.phase('ann'), 'failed')
      ends(failed, how)
      failed.obeys()
      const phases = { stop: 'failed', remove: 'absent', restart: 'ready' }
      assert.equal(failed.phase('ann'), phases[how])
    })
  }

  it('does nothing if the workspace does not exist', () => {
    const story = begun()
    assert.deepEqual(ends(story, 'remove').steps, [])
  })
})

describe('a template that gets a longer lifetime while its workspace runs', () => {
  it('withdraws the announcement of the end', () => {
    const story = withReady(['ann'], { policy: lifetime })
    story.passes(46_000)
    assert.equal(story.workspace('ann').endWarned, true)
    const template = templateWith({ maxLifetimeMs: 500_000 })
    const config = { ...story.state.config, templates: new Map([['lab', template]]) }
    story.hears({ type: 'config-changed', config })
    assert.equal(story.workspace('ann').endWarned, false)
  })
})
