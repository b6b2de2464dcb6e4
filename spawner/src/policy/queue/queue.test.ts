import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { begun, nameOf, person, withReady, type Scenario } from '../testing/scenario.ts'

const position = (story: Scenario, who: string) => {
  const reply = story.asks(who)
  return reply.status === 'waiting' ? reply.position : undefined
}

describe('places', () => {
  it('are never more than allowed, stopping ones included', () => {
    const story = withReady(['ann', 'bob'], { limits: { maxWorkspaces: 2 } })
    story.asks('cid')
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['ready', 'ready', 'queued'])
    story.passes(90_000)
    story.asks('bob')
    story.asks('cid')
    story.passes(15_000)
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['stopping', 'ready', 'queued'])
    story.obeys()
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['stopped', 'ready', 'ready'])
  })

  it('for starting are a limit of their own', () => {
    const story = begun({ limits: { maxStarting: 2 } })
    for (const who of ['ann', 'bob', 'cid']) story.asks(who)
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['pulling', 'pulling', 'queued'])
    story.obeys()
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['ready', 'ready', 'ready'])
  })

  it('are not needed by a ready workspace that is probed again', () => {
    const story = withReady(['ann'], { limits: { maxStarting: 1 } })
    const generation = story.workspace('ann').container?.generation ?? ''
    story.asks('bob')
    story.passes(1)
    story.asks('ann', { unreachable: generation })
    assert.deepEqual(story.phases('ann', 'bob'), ['probing', 'pulling'])
  })
})

describe('eviction', () => {
  it('hazard: no frozen workspace is evicted for a person whom the queue limit refuses', () => {
    const story = withReady(['ann', 'bob'], {
      limits: { maxWorkspaces: 2, maxQueue: 1 },
      policy: { idleFreezeMs: 40_000, idleStopMs: 0 },
    })
    story.passes(100_000).obeys()
    assert.deepEqual(story.phases('ann', 'bob'), ['frozen', 'frozen'])
    assert.equal(story.asks('cid').status, 'waiting')
    assert.equal(story.asks('dan').status, 'refused')
    assert.deepEqual(story.phases('ann', 'bob'), ['stopping', 'frozen'])
  })

  it('hazard: no frozen workspace is evicted for a person who waits for the limit of their group', () => {
    const policy = { idleFreezeMs: 40_000, maxWorkspacesByGroup: { pupils: 1 } }
    const story = begun({ limits: { maxWorkspaces: 2 }, policy })
    const pupil = (name: string) => person(name, { groups: ['pupils'] })
    for (const who of [person('ann'), pupil('bob')]) {
      story.asks(who)
      story.obeys()
    }
    story.passes(39_000)
    story.asks(pupil('bob'))
    story.passes(1_000).obeys()
    assert.deepEqual(story.phases('ann', 'bob'), ['frozen', 'ready'])
    story.asks(pupil('cid'))
    story.obeys()
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['frozen', 'ready', 'queued'])
    story.asks('dan')
    story.obeys()
    assert.equal(story.phase('dan'), 'ready')
    assert.notEqual(story.phase('ann'), 'frozen')
  })
})

describe('the queue', () => {
  const full = { limits: { maxWorkspaces: 1, maxQueue: 2 } }

  it('is in the order of the requests, with positions that fall', () => {
    const story = withReady(['ann'], full)
    story.asks('bob')
    story.asks('cid')
    assert.deepEqual([position(story, 'bob'), position(story, 'cid')], [1, 2])
    story.passes(29_000)
    story.asks('cid')
    story.passes(1_000)
    assert.equal(story.phase('bob'), 'absent')
    assert.equal(position(story, 'cid'), 1)
  })

  it('refuses a request that would make it too long, and names the limit', () => {
    const story = withReady(['ann'], full)
    story.asks('bob')
    story.asks('cid')
    const reply = story.asks('dan')
    assert.equal(reply.status, 'refused')
    assert.equal(reply.failure.code, 'queue_full')
    assert.equal(reply.limit, 2)
    assert.equal(story.phase('dan'), 'absent')
    assert.equal(position(story, 'bob'), 1)
  })

  it('refuses a stopped workspace without losing its container', () => {
    const story = withReady(['ann'], full)
    story.passes(150_000).obeys()
    for (const who of ['bob', 'cid', 'dan']) story.asks(who)
    const reply = story.asks('ann')
    assert.equal(reply.status, 'refused')
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.workspace('ann').container?.status, 'exited')
  })

  it('hazard: a new request does not overtake at the moment when a place becomes free', () => {
    const story = withReady(['ann'], full)
    story.passes(99_000)
    story.asks('bob')
    story.passes(21_000)
    story.asks('cid')
    story.obeys('stop-container')
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['stopped', 'pulling', 'queued'])
  })

  it('is left by people who show no presence', () => {
    const story = withReady(['ann'], full)
    story.asks('bob')
    story.passes(20_000)
    story.hears({ type: 'person-present', workspace: nameOf('bob'), user: person('bob') })
    story.passes(29_999)
    assert.equal(story.phase('bob'), 'queued')
    story.passes(1)
    assert.equal(story.phase('bob'), 'absent')
  })

  it('is left by people whose requests may not start anything', () => {
    const story = withReady(['ann'], full)
    story.asks('bob')
    story.passes(20_000)
    assert.equal(story.asks('bob', { start: 'no' }).status, 'waiting')
    story.passes(10_000)
    assert.equal(story.phase('bob'), 'absent')
  })

  it('is left by a person although another person of the same name is present', () => {
    const story = withReady(['ann'], full)
    story.asks('bob')
    story.passes(20_000)
    const user = person('bob', { subject: 'another' })
    story.hears({ type: 'person-present', workspace: nameOf('bob'), user })
    story.passes(10_000)
    assert.equal(story.phase('bob'), 'absent')
  })

  it('takes everybody where it has no limit', () => {
    const story = withReady(['ann'], { limits: { maxWorkspaces: 1 } })
    for (let n = 0; n < 50; n++) assert.equal(story.asks(`p${n}`).status, 'waiting')
    assert.equal(position(story, 'p49'), 50)
  })

  it('waits for a network when the pool is used up, and continues when one has rested', () => {
    const story = withReady(['ann'], { config: { networkCount: 1 } })
    story.asks('bob')
    assert.equal(story.phase('bob'), 'queued')
    for (let n = 0; n < 60; n++) {
      story.passes(20_000)
      story.asks('bob')
      story.obeys()
    }
    // Stopped after 100 s, removed after 1,000 s.
    assert.equal(story.phase('ann'), 'absent')
    assert.equal(story.phase('bob'), 'ready')
  })
})

describe('removing stopped containers for their networks', () => {
  it('hazard: no more stopped containers are removed than there are free places', () => {
    const stopped = ['ann', 'bob', 'cid']
    const story = withReady(stopped, { limits: { maxWorkspaces: 3 }, config: { networkCount: 4 } })
    story.passes(100_000).obeys()
    assert.deepEqual(story.phases(...stopped), ['stopped', 'stopped', 'stopped'])
    const limits = { ...story.state.config.limits, maxWorkspaces: 2 }
    story.hears({ type: 'config-changed', config: { ...story.state.config, limits } })
    for (const who of ['dan', 'eve', 'fay']) story.asks(who)
    const removed = story.orders.filter(({ type }) => type === 'remove-container')
    assert.equal(removed.length, 1)
    assert.equal(story.phase('dan'), 'pulling')
  })
})

describe('estimates', () => {
  const crowded = { limits: { maxWorkspaces: 1 } }

  it('are not given before anything was measured', () => {
    const story = begun(crowded)
    story.asks('ann')
    const reply = story.asks('bob')
    assert.ok(reply.status === 'waiting' && reply.etaMs === undefined)
  })

  it('come from measured starts and stays', () => {
    const story = begun(crowded)
    story.asks('ann')
    story.passes(4_000)
    story.obeys()
    story.passes(120_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    const first = story.asks('bob')
    assert.ok(first.status === 'waiting' && first.etaMs === 4_000)
    const second = story.asks('cid')
    assert.ok(second.status === 'waiting')
    assert.equal(second.position, 1)
    // A stay was 100 s (the idle limit, nobody used it), a start 4 s.
    assert.equal(second.etaMs, 104_000)
  })

  it('count what was measured of the same template only', () => {
    const story = begun()
    const { config } = story.state
    const board = testTemplate('board')
    const templates = new Map([...config.templates, [board.name, board]])
    story.hears({ type: 'config-changed', config: { ...config, templates } })
    story.asks('ann')
    story.passes(4_000)
    story.obeys()
    const other = story.asks('bob', { template: 'board' })
    assert.ok(other.status === 'waiting' && other.etaMs === undefined)
    const same = story.asks('cid')
    assert.ok(same.status === 'waiting' && same.etaMs === 4_000)
  })

  it('wait for the places of a template while that is full', () => {
    const story = begun({ policy: { maxWorkspaces: 1 } })
    story.asks('ann')
    story.passes(4_000)
    story.obeys()
    const unknown = story.asks('bob')
    assert.ok(unknown.status === 'waiting' && unknown.etaMs === undefined)
    story.passes(100_000).obeys()
    story.asks('bob')
    assert.equal(story.phase('bob'), 'pulling')
    const told = story.asks('cid')
    assert.ok(told.status === 'waiting' && told.etaMs === 104_000)
  })

  for (const [limit, limits, policy] of [
    ['memory', { maxMemoryBytes: 1_000 }, {}],
    ['the places of a group', {}, { maxWorkspacesByGroup: { staff: 1 } }],
  ] as const)
    it(`are not given while ${limit} stands in the way`, () => {
      const story = begun({ limits, policy, spec: { memoryBytes: 600 } })
      story.asks('ann')
      story.passes(4_000)
      story.obeys()
      story.passes(100_000).obeys()
      story.asks('bob')
      story.obeys()
      const reply = story.asks('cid')
      assert.ok(reply.status === 'waiting' && reply.position === 1, JSON.stringify(reply))
      assert.equal(reply.etaMs, undefined)
    })

  it('end when a start takes longer than any before', () => {
    const story = begun(crowded)
    story.asks('ann')
    story.passes(4_000)
    story.obeys()
    story.passes(120_000).obeys()
    story.asks('bob')
    story.passes(3_000)
    const soon = story.asks('bob')
    assert.ok(soon.status === 'waiting' && soon.etaMs === 1_000)
    story.passes(3_000)
    const late = story.asks('bob')
    assert.ok(late.status === 'waiting' && late.etaMs === undefined)
  })
})

describe('access is given', () => {
  const cases = [
    ['to everybody, when the template names nobody', {}, 'waiting'],
    ['to a user whom the template names', { allowedUsers: ['ann'] }, 'waiting'],
    ['to a member of a group that the template names', { allowedGroups: ['staff'] }, 'waiting'],
    ['to nobody else', { allowedUsers: ['bob'], allowedGroups: ['admins'] }, 'template_forbidden'],
  ] as const
  for (const [title, policy, expected] of cases)
    it(title, () => {
      const reply = begun({ policy }).asks('ann')
      assert.equal(reply.status === 'refused' ? reply.failure.code : reply.status, expected)
    })

  it('not to a person outside of its groups, who is told which they are', () => {
    const forbidden = (allowedGroups: string[], groups: string[]) => {
      const reply = begun({ policy: { allowedGroups } }).asks(person('ann', { groups }))
      return reply.status === 'refused' ? reply.failure.detail : ''
    }
    assert.match(forbidden(['staff'], ['guests']), /members of the group “staff”\. Your account/)
    assert.match(forbidden(['a', 'b'], ['c']), /one of the groups “a”, “b”/)
    assert.match(forbidden(['staff'], []), /named no group/)
  })

  it('not to a template that does not exist', () => {
    const reply = begun().asks('ann', { template: 'nothing' })
    assert.ok(reply.status === 'refused' && reply.failure.code === 'template_unknown')
  })

  it('hazard: not to the workspace of a person who had the same name with another subject', () => {
    const story = withReady(['ann'])
    const reply = story.asks(person('ann', { subject: 'u-another' }))
    assert.ok(reply.status === 'refused' && reply.failure.code === 'identity_reused')
  })

  it('hazard: not to the home of a person who had the same name with another subject', () => {
    const story = begun()
    story.looks({ subjects: new Map([[person('ann').name, 'u-somebody']]) })
    const reply = story.asks('ann')
    assert.ok(reply.status === 'refused' && reply.failure.code === 'identity_reused')
    assert.deepEqual(story.orders, [])
  })

  it('hazard: not under another user name than the one under which the same subject has files', () => {
    const subjects = new Map([[person('ann').name, 'u-ann']])
    const renamed = person('anna', { subject: 'u-ann' })
    const story = begun().looks({ subjects })
    const reply = story.asks(renamed)
    assert.ok(reply.status === 'refused' && reply.failure.code === 'identity_renamed')
    assert.match(reply.failure.detail, /former user name, ann\./)
    assert.deepEqual(story.orders, [])
    story.looks({ subjects: new Map([...subjects, [renamed.name, 'u-ann']]) })
    assert.equal(story.asks(renamed).status, 'waiting', 'an administrator has made a home')
    const withoutSubject = begun().looks({ subjects: new Map([[person('ann').name, '']]) })
    assert.equal(withoutSubject.asks(person('bob', { subject: '' })).status, 'waiting')
  })

  it('not under a name that something foreign on the engine has', () => {
    const story = begun().looks({ foreignNames: [nameOf('ann')] })
    const reply = story.asks('ann')
    assert.ok(reply.status === 'refused' && reply.failure.code === 'name_taken')
    assert.deepEqual(story.orders, [])
  })
})
