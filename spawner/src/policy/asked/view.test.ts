import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nameOf, person, withReady, begun, type Scenario } from '../testing/scenario.ts'
import { sameFor, viewOf } from './view.ts'

const view = (story: Scenario, who: string, wallNow?: number) =>
  viewOf(story.state, person(who), 'lab', story.now, wallNow && wallNow - story.now)

describe('a view', () => {
  it('says "absent" for a workspace that does not exist', () => {
    const { status, title, ended } = view(begun(), 'ann')
    const workspace = nameOf('ann')
    assert.deepEqual(status, { template: 'lab', workspace, phase: 'absent', elapsedMs: 0 })
    assert.equal(title, 'Lab')
    assert.equal(ended, false)
  })

  it('tells the position, the time since the request and the progress of a pull', () => {
    const story = begun({ limits: { maxStarting: 1 } })
    story.asks('ann')
    story.asks('bob')
    story.passes(2_000)
    story.hears({ type: 'pull-progressed', workspace: nameOf('ann'), percent: 12 })
    assert.equal(view(story, 'ann').pullPercent, 12)
    assert.equal(view(story, 'ann').status.elapsedMs, 2_000)
    assert.equal(view(story, 'bob').status.position, 1)
    assert.equal(view(story, 'bob').status.phase, 'queued')
  })

  it('tells when the lifetime ends, by the wall clock', () => {
    const story = withReady(['ann'], { policy: { maxLifetimeMs: 60_000 } })
    story.passes(10_000)
    const wallNow = Date.parse('2030-01-01T00:00:00Z')
    assert.equal(view(story, 'ann', wallNow).status.endsAt, '2030-01-01T00:00:50.000Z')
    story.passes(50_000).obeys()
    assert.equal(view(story, 'ann').ended, true)
    assert.equal(view(story, 'ann').status.phase, 'stopped')
    story.asks('ann')
    assert.equal(view(story, 'ann').ended, true)
    story.asks('ann')
    assert.equal(view(story, 'ann').ended, false)
  })

  it('tells how long ago this person last used it, while it runs', () => {
    const story = withReady(['ann'])
    story.passes(5_000)
    assert.equal(view(story, 'ann').lastUseAgoMs, 5_000)
    story.reports('ann', 1_000)
    assert.equal(view(story, 'ann').lastUseAgoMs, 1_000)
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'stop' })
    story.obeys()
    assert.equal(view(story, 'ann').lastUseAgoMs, undefined)
  })

  it('tells that a person has stopped it or left the queue, until somebody asks for a start again', () => {
    const story = withReady(['ann'], { limits: { maxWorkspaces: 1 } })
    const isCancelled = (who: string) => view(story, who).cancelled === true
    const stop = { type: 'end-requested', workspace: nameOf('ann'), how: 'stop' } as const
    assert.equal(isCancelled('ann'), false)
    story.hears(stop)
    assert.equal(isCancelled('ann'), true, 'while it stops')
    story.asks('ann')
    assert.equal(isCancelled('ann'), false, 'a start follows the stop')
    story.hears(stop)
    story.obeys()
    assert.equal(isCancelled('ann'), true)
    story.asks('ann')
    story.obeys()
    assert.equal(isCancelled('ann'), false)

    story.asks('bob')
    assert.equal(isCancelled('bob'), false)
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('bob') })
    assert.equal(view(story, 'bob').status.phase, 'absent')
    assert.equal(isCancelled('bob'), true)
    assert.equal(isCancelled('cid'), false)
  })

  it('tells that a workspace ended for memory, whichever of the two the engine tells first', () => {
    for (const order of [
      ['container-out-of-memory', 'container-died'],
      ['container-died', 'container-out-of-memory'],
    ] as const) {
      const story = withReady(['ann'])
      const generation = story.workspace('ann').container?.generation ?? ''
      for (const type of order) story.hears({ type, generation, exitCode: 137 })
      assert.equal(view(story, 'ann').status.phase, 'stopped')
      assert.equal(view(story, 'ann').outOfMemory, true)
      story.asks('ann')
      story.obeys()
      assert.equal('outOfMemory' in view(story, 'ann'), false)
    }
  })

  it('does not tell of memory where the workspace went on, or was stopped for a reason', () => {
    const story = withReady(['ann'])
    const generation = story.workspace('ann').container?.generation ?? ''
    story.hears({ type: 'container-out-of-memory', generation })
    assert.equal('outOfMemory' in view(story, 'ann'), false)
    story.passes(100_000).obeys()
    assert.equal(story.workspace('ann').stopReason, 'idle')
    assert.equal('outOfMemory' in view(story, 'ann'), false)
  })

  it('has the code and the detail of a failure', () => {
    const story = begun()
    story.asks('ann')
    story.fails('pull-image')
    const { status, failure } = view(story, 'ann')
    assert.equal(status.phase, 'failed')
    assert.deepEqual(status.problem, {
      code: 'start_failed',
      title: 'The workspace could not be started',
      detail: 'pull-image failed',
    })
    assert.equal(failure?.detail, 'pull-image failed')
  })

  it('is the same after a cancel as before the request', () => {
    const story = begun()
    story.asks('ann')
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    assert.equal(view(story, 'ann').status.phase, 'absent')
  })

  it('says that the engine does not answer', () => {
    const story = withReady(['ann'])
    story.hears({ type: 'engine-lost', detail: 'gone' })
    assert.equal(view(story, 'ann').failure, undefined)
    assert.equal(view(story, 'bob').failure?.code, 'engine_unreachable')
  })

  it('shows nothing of a workspace to a stranger of the same name', () => {
    const story = withReady(['ann'])
    const stranger = person('ann', { subject: 'another' })
    const { status, refusal, milestones } = viewOf(story.state, stranger, 'lab', story.now)
    assert.equal(refusal?.failure.code, 'identity_reused')
    assert.equal(status.phase, 'absent')
    assert.deepEqual(milestones, [])
  })

  it('says that the queue is full', () => {
    const story = withReady(['ann'], { limits: { maxWorkspaces: 1, maxQueue: 1 } })
    story.asks('bob')
    assert.equal(view(story, 'cid').refusal?.failure.code, 'queue_full')
    assert.equal(view(story, 'cid').refusal?.limit, 1)
    assert.equal(view(story, 'bob').refusal, undefined)
  })
})

describe('what followers are told', () => {
  it('are all changes of their own workspace, and no others', () => {
    const story = begun({ limits: { maxStarting: 1 } })
    const changes = (what: () => void, who: string) => {
      const before = story.state
      what()
      return !sameFor(before, story.state, nameOf(who))
    }
    assert.ok(changes(() => story.asks('ann'), 'ann'))
    assert.ok(!changes(() => story.asks('bob'), 'ann'))
    assert.ok(changes(() => story.asks('cid'), 'bob'))
    assert.ok(!changes(() => story.hears({ type: 'tick' }), 'bob'))
    assert.ok(changes(() => story.obeys('create-network'), 'ann'))
    assert.ok(!changes(() => story.passes(5).asks('ann'), 'ann'), 'asking again is no change')
    assert.ok(changes(() => story.hears({ type: 'engine-lost', detail: '' }), 'nobody'))
  })
})

describe('a template that waits for a click', () => {
  it('is started by the button, not by a visit', () => {
    const story = begun({ policy: { startsBy: 'click' } })
    story.asks('ann')
    assert.equal(view(story, 'ann').status.phase, 'absent')
    assert.equal(view(story, 'ann').offer?.byClick, true)
    story.hears({ type: 'start-requested', template: 'lab', user: person('ann') })
    assert.notEqual(view(story, 'ann').status.phase, 'absent')
  })
})
