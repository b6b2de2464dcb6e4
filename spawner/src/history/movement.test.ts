import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Announcement, Event } from '../policy/domain.ts'
import { nameOf, person, Scenario, type ScenarioOptions } from '../policy/testing/scenario.ts'
import { testTemplate } from '../templates/testing/test-template.ts'
import { entriesOf, type NewEntry } from './movement.ts'

/** Tells every announced change to the history, as the loop does. */
class Chronicle extends Scenario {
  readonly entries: NewEntry[] = []

  override hears<E extends Event>(event: E) {
    const before = this.state.workspaces
    const decision = super.hears(event)
    const after = decision.state.workspaces
    for (const announcement of decision.steps.filter(isAnnouncement)) {
      const { workspace } = announcement
      this.entries.push(
        ...entriesOf({
          announcement,
          before: before.get(workspace),
          after: after.get(workspace),
          now: this.now,
        }),
      )
    }
    return decision
  }

  /** The entries since the last call, without what is not there. */
  told(): readonly NewEntry[] {
    return JSON.parse(JSON.stringify(this.entries.splice(0))) as NewEntry[]
  }
}

const isAnnouncement = (step: { readonly type: string }): step is Announcement =>
  step.type === 'announce'

const begun = (options: ScenarioOptions = {}) => new Chronicle(options).looks().connects()

/** Its entries so far are forgotten. */
function withReady(who: string, options: ScenarioOptions = {}): Chronicle {
  const story = begun(options)
  story.asks(who)
  story.obeys()
  story.asks(who)
  story.told()
  return story
}

const ann = { person: 'ann', template: 'lab', workspace: 'lab-ann' }
const ends = (story: Chronicle, how: 'stop' | 'remove' | 'restart', who = 'ann') =>
  story.hears({ type: 'end-requested', workspace: nameOf(who), how })

describe('the history of starts', () => {
  it('has a cold start with its steps', () => {
    const story = begun()
    story.asks('ann')
    for (const [ms, step] of [
      [100, 'pull-image'],
      [200, 'create-container'],
      [300, 'start-container'],
      [400, 'probe'],
    ] as const) {
      story.now += ms
      story.obeys('create-network', 'attach-director')
      story.obeys(step)
    }
    assert.deepEqual(story.told(), [
      {
        ...ann,
        type: 'start',
        start: 'cold',
        outcome: 'ready',
        waitedMs: 0,
        tookMs: 1_000,
        steps: { pulling: 100, creating: 200, starting: 300, probing: 400 },
      },
    ])
  })

  it('has the time in the queue', () => {
    const story = withReady('ann', { limits: { maxWorkspaces: 1 } })
    story.asks('bob')
    story.now += 5_000
    story.asks('bob')
    ends(story, 'stop')
    story.obeys()
    const [start] = story.told().filter(({ person, type }) => person === 'bob' && type === 'start')
    assert.deepEqual([start?.outcome, start?.waitedMs, start?.tookMs], ['ready', 5_000, 5_000])
  })

  it('has a start from a stopped container, and one from a frozen one with the time since the request', () => {
    const stopped = withReady('ann')
    ends(stopped, 'stop')
    stopped.obeys()
    stopped.told()
    stopped.asks('ann')
    stopped.obeys()
    assert.deepEqual(
      stopped.told().map(({ type, start, outcome }) => [type, start, outcome]),
      [['start', 'stopped', 'ready']],
    )

    const frozen = withReady('ann', { policy: { idleFreezeMs: 50_000, idleStopMs: 1e9 } })
    frozen.passes(60_000)
    frozen.passes(60_000)
    frozen.obeys()
    assert.deepEqual(frozen.told(), [{ ...ann, type: 'freeze', reason: 'idle' }])
    frozen.asks('ann')
    frozen.now += 70
    frozen.obeys()
    assert.deepEqual(frozen.told(), [
      {
        ...ann,
        type: 'start',
        start: 'frozen',
        outcome: 'ready',
        waitedMs: 0,
        tookMs: 70,
        steps: { thawing: 70 },
      },
    ])
  })

  it('has a claimed standby, and nothing of the standby before', () => {
    const lab = testTemplate('lab', {
      spec: { readyPath: '/api' },
      policy: { standby: 1, idleStopMs: 100_000, startTimeoutMs: 60_000 },
    })
    const story = begun({ config: { templates: new Map([['lab', lab]]) } })
    story.obeys()
    assert.deepEqual(story.told(), [])
    story.asks('ann')
    story.obeys()
    assert.deepEqual(
      story.told().map(({ person, start, outcome }) => [person, start, outcome]),
      [['ann', 'standby', 'ready']],
    )
  })

  it('has a failed start once, with why and how far it came', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image')
    story.now += 40
    story.fails('create-container')
    story.now += 60
    story.obeys()
    assert.deepEqual(story.told(), [
      {
        ...ann,
        type: 'start',
        start: 'cold',
        outcome: 'failed',
        reason: 'start_failed',
        detail: 'create-container failed',
        waitedMs: 0,
        tookMs: 40,
        steps: { pulling: 0, creating: 40 },
      },
    ])
  })

  it('has a start that was cancelled, and one whose person left the queue', () => {
    const story = begun({ limits: { maxWorkspaces: 1 } })
    story.asks('ann')
    story.asks('bob')
    story.now += 20_000
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('bob') })
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    story.obeys()
    const told = story.told()
    assert.deepEqual(
      told.map(({ person, type, outcome, reason }) => [person, type, outcome, reason]),
      [
        ['bob', 'start', 'cancelled', 'left_queue'],
        ['ann', 'start', 'cancelled', 'cancelled'],
      ],
    )
    assert.equal(told[0]?.waitedMs, 20_000)
  })
})

describe('the history of ends', () => {
  for (const [how, reason, types] of [
    ['stop', 'asked', ['stop']],
    ['remove', 'removed', ['stop', 'removal']],
  ] as const)
    it(`has a ${how} that was asked for, with how long it ran`, () => {
      const story = withReady('ann')
      story.now += 90_000
      ends(story, how)
      story.obeys()
      const told = story.told()
      assert.deepEqual(
        told.map(({ type }) => type),
        types,
      )
      assert.deepEqual(told[0], { ...ann, type: 'stop', reason, ranMs: 90_000 })
      assert.ok(told.every((entry) => entry.reason === reason))
    })

  it('has a restart as a stop and a start that includes the stop', () => {
    const story = withReady('ann')
    ends(story, 'restart')
    story.now += 500
    story.obeys()
    const [stop, start, ...more] = story.told()
    assert.deepEqual([stop?.type, stop?.reason, more], ['stop', 'replaced', []])
    assert.deepEqual([start?.type, start?.start, start?.tookMs], ['start', 'cold', 500])
    assert.equal(start?.steps?.['stopping'], 500)
  })

  it('has a container that ended by itself, and the removal of the stopped one', () => {
    const story = withReady('ann')
    const generation = story.workspace('ann').container?.generation ?? ''
    story.now += 10
    story.hears({ type: 'container-died', generation, exitCode: 3 })
    assert.deepEqual(story.told(), [
      { ...ann, type: 'stop', reason: 'ended', exitCode: 3, ranMs: 10 },
    ])
    story.passes(1_100_000)
    story.obeys()
    assert.deepEqual(story.told(), [{ ...ann, type: 'removal', reason: 'cleared' }])
  })

  it('has the kernel’s kill for memory, and a removal by another program', () => {
    const memory = withReady('ann')
    const generation = memory.workspace('ann').container?.generation ?? ''
    memory.hears({ type: 'container-out-of-memory', generation })
    memory.hears({ type: 'container-died', generation, exitCode: 137 })
    assert.equal(memory.told()[0]?.reason, 'out_of_memory')

    const gone = withReady('ann')
    const its = gone.workspace('ann').container?.generation ?? ''
    gone.hears({ type: 'container-destroyed', generation: its })
    assert.deepEqual(
      gone.told().map(({ type, reason }) => [type, reason]),
      [['stop', 'vanished']],
    )
  })

  it('has an idle stop and an eviction by their reasons', () => {
    const idle = withReady('ann')
    idle.passes(140_000)
    idle.obeys()
    assert.deepEqual(
      idle.told().map(({ type, reason }) => [type, reason]),
      [['stop', 'idle']],
    )
    const evicted = withReady('ann', {
      limits: { maxWorkspaces: 1, evictsFrozen: true },
      policy: { idleFreezeMs: 50_000, idleStopMs: 1e9 },
    })
    evicted.passes(120_000)
    evicted.obeys()
    evicted.told()
    evicted.asks('bob')
    evicted.obeys()
    assert.deepEqual(
      evicted.told().map(({ person, type, reason }) => [person, type, reason]),
      [
        ['ann', 'stop', 'evicted'],
        ['bob', 'start', undefined],
      ],
    )
  })

  it('has nothing of what is found running after a restart of the spawner', () => {
    const before = withReady('ann')
    const after = new Chronicle({}, before.recorded)
    const { container, network = 0 } = before.workspace('ann')
    assert.ok(container)
    after.looks({
      networks: [{ index: network, egress: 'internet', attached: ['d1'] }],
      containers: [
        {
          workspace: nameOf('ann'),
          template: 'lab',
          kind: 'private',
          owner: before.workspace('ann').owner,
          network,
          container,
        },
      ],
    })
    after.connects()
    after.obeys()
    assert.equal(after.phase('ann'), 'ready')
    assert.deepEqual(after.told(), [])
    ends(after, 'stop')
    after.obeys()
    assert.deepEqual(
      after.told().map(({ type, reason }) => [type, reason]),
      [['stop', 'asked']],
    )
  })
})
