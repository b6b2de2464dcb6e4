import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { SeatReply } from '../domain.ts'
import { begun, director, person, Scenario, type ScenarioOptions } from '../testing/scenario.ts'

const shared = (policy: ScenarioOptions['policy'], limits: ScenarioOptions['limits'] = {}) =>
  begun({ policy: { seats: 2, ...policy }, limits })
const people = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, at) => `p${from + at}`)
const sizes = (story: Scenario) =>
  [...story.state.workspaces.values()].map(({ seats }) => seats.length)
const codeOf = (reply: SeatReply) =>
  reply.status === 'refused' ? reply.failure.code : reply.status
/** Asks until it is ready. */
const comes = (story: Scenario, who: string) => {
  story.asks(who)
  story.obeys()
  return story.asks(who)
}

describe('seats', () => {
  it('of 50 people, ten in each workspace, fill five workspaces, fullest first; the 51st opens the sixth', () => {
    const story = shared({ seats: 10 })
    for (const who of people(1, 50)) assert.equal(comes(story, who).status, 'granted')
    assert.deepEqual(sizes(story), [10, 10, 10, 10, 10])
    comes(story, 'p51')
    assert.deepEqual(sizes(story), [10, 10, 10, 10, 10, 1])
  })

  it('are given in the fullest workspace with a free seat', () => {
    const story = shared({ seats: 3, seatIdleMs: 60_000 })
    for (const who of people(1, 6)) comes(story, who)
    for (let n = 0; n < 6; n++) {
      story.passes(20_000)
      for (const who of ['p2', 'p3', 'p6']) story.uses(who)
    }
    assert.deepEqual(sizes(story), [2, 1])
    comes(story, 'p7')
    assert.deepEqual(sizes(story), [3, 1])
  })

  it('are kept: a person is in one workspace of a template, however often they request a seat', () => {
    const story = shared({})
    for (const who of ['ann', 'ann', 'bob', 'ann', 'cid', 'bob']) comes(story, who)
    assert.deepEqual(sizes(story), [2, 1])
    assert.notEqual(story.seatOf('ann')?.name, story.seatOf('cid')?.name)
    assert.match(story.seatOf('ann')?.name ?? '', /^lab-shared--\d+$/)
  })

  it('are never too many, also when all people request one at once', () => {
    const story = shared({ seats: 10 })
    for (const who of people(1, 30)) story.asks(who)
    story.obeys()
    for (const who of people(1, 30)) assert.equal(story.asks(who).status, 'granted')
    assert.deepEqual(sizes(story), [10, 10, 10])
  })

  it('end one at a time, each when its person has been idle for long enough', () => {
    const story = shared({ seatIdleMs: 60_000 })
    comes(story, 'ann')
    comes(story, 'bob')
    for (let n = 0; n < 8; n++) story.passes(15_000).uses('bob')
    assert.equal(story.seatOf('ann'), undefined)
    assert.equal(story.seatOf('bob')?.phase, 'ready')
  })

  it('hazard: a seat that ended is not renewed by the report of a director, which is told of the end', () => {
    const story = shared({ seatIdleMs: 60_000 })
    comes(story, 'ann')
    comes(story, 'bob')
    const workspace = story.seatOf('ann')?.name
    assert.ok(workspace)
    for (let n = 0; n < 8; n++) story.passes(15_000).uses('bob')
    const seat = { workspace, user: person('ann').name, lastUseAgoMs: 0, connections: 1 }
    const { reply } = story.hears({ type: 'activity-reported', director, seats: [seat] })
    assert.deepEqual(reply, [{ workspace, user: 'ann', leaseMs: 0, seatEnded: true }])
    assert.equal(story.seatOf('ann'), undefined)
  })

  it('that are not used end at the moment that directors are told', () => {
    const story = shared({ seatIdleMs: 60_000 })
    comes(story, 'ann')
    comes(story, 'bob')
    const workspace = story.seatOf('ann')?.name
    assert.ok(workspace)
    story.passes(20_000).uses('bob')
    const seat = { workspace, user: person('ann').name, lastUseAgoMs: 20_000, connections: 1 }
    const { reply } = story.hears({ type: 'activity-reported', director, seats: [seat] })
    assert.equal(reply?.[0]?.unusedEndsInMs, 40_000)
    // Not earlier, as a director may hold the lease that it was given just now.
    for (let n = 0; n < 6; n++) story.passes(10_000).uses('bob')
    assert.equal(story.seatOf('ann'), undefined)
  })

  it('hazard: a seat is not given to another person while a director may hold a lease for it', () => {
    const story = shared({ seatIdleMs: 60_000 })
    comes(story, 'ann')
    comes(story, 'bob')
    // Reported as unused, and renewed, just before it is idle.
    story.passes(59_000)
    assert.equal(story.uses('ann', 59_000).length, 1)
    story.uses('bob')
    story.passes(20_000)
    assert.ok(story.seatOf('ann'), 'the lease still runs')
    story.passes(10_000)
    assert.equal(story.seatOf('ann'), undefined)
  })

  it('end with the last connection where the template says so', () => {
    const story = shared({ persistBetweenReconnects: false })
    comes(story, 'ann')
    comes(story, 'bob')
    for (let n = 0; n < 4; n++) {
      story.passes(10_000)
      story.uses('ann', 0, n === 0 ? 1 : 0)
      story.uses('bob', 0, 1)
    }
    assert.equal(story.seatOf('ann'), undefined)
    assert.ok(story.seatOf('bob'))
  })

  it('stay while their people are connected, also in a workspace that is frozen meanwhile', () => {
    const story = shared({ persistBetweenReconnects: false, idleFreezeMs: 20_000, idleStopMs: 0 })
    comes(story, 'ann')
    for (let n = 1; n < 12; n++)
      story
        .passes(10_000)
        .obeys()
        .uses('ann', n * 10_000, 1)
    assert.equal(story.seatOf('ann')?.phase, 'frozen')
    for (let n = 0; n < 6; n++) story.passes(10_000).uses('ann', 120_000 + n * 10_000, 0)
    assert.equal(story.seatOf('ann'), undefined)
  })

  it('hazard: connections through a director that died or restarted count as closed', () => {
    const dies = (story: Scenario) => {
      story.hears({ type: 'director-gone', director })
      const { workspaces, networks } = story.state
      story.looks({
        containers: [...workspaces.values()].flatMap(({ name, kind, network, container }) => {
          if (container === undefined || network === undefined) return []
          return { workspace: name, template: 'lab', kind, owner: undefined, network, container }
        }),
        networks: [...networks.values()],
        directors: ['d2'],
      })
    }
    for (const ends of [dies, (story: Scenario) => story.connects()]) {
      const story = shared({ persistBetweenReconnects: false, idleStopMs: 0 }).connects('d2')
      comes(story, 'ann')
      story.uses('ann', 0, 1)
      ends(story)
      const reply = story.obeys().asks('ann', { director: 'd2' })
      assert.ok(reply.status === 'granted')
      const { workspace } = reply
      const closed = { workspace, user: person('ann').name, lastUseAgoMs: 0, connections: 0 }
      for (let n = 0; n < 4; n++) {
        story.passes(10_000)
        story.hears({ type: 'activity-reported', director: 'd2', seats: [closed] })
      }
      assert.equal(story.seatOf('ann'), undefined)
    }
  })

  it('are neither used nor renewed by a report about another container', () => {
    const story = shared({})
    comes(story, 'ann')
    const workspace = story.seatOf('ann')
    assert.ok(workspace)
    story.passes(5_000)
    const seat = {
      workspace: workspace.name,
      generation: 'another',
      lastUseAgoMs: 0,
      connections: 1,
    }
    const seats = [{ ...seat, user: person('ann').name }]
    const { reply } = story.hears({ type: 'activity-reported', director, seats })
    assert.deepEqual(reply, [])
    assert.equal(story.seatOf('ann')?.lastUseAt, workspace.lastUseAt)
  })
})

describe('a shared workspace', () => {
  it('takes twenty people in all, and ends when the last of them has left', () => {
    const story = shared({ seats: 5, seatsTotal: 20, seatIdleMs: 40_000 })
    let first: string | undefined
    for (let round = 0; round < 4; round++) {
      for (const who of people(round * 5 + 1, round * 5 + 5)) {
        comes(story, who)
        first ??= story.seatOf(who)?.name
        assert.equal(story.seatOf(who)?.name, first)
      }
      if (round < 3) story.passes(80_000)
    }
    comes(story, 'p21')
    assert.notEqual(story.seatOf('p21')?.name, first)
    story.uses('p21')
    story.passes(80_000).obeys()
    assert.ok(![...story.state.workspaces.keys()].some((name) => name === first))
    assert.ok(story.history.includes('remove-container'))
  })

  it('takes no new person once it drains, and ends when the last one leaves', () => {
    const story = shared({ seats: 5, drainAfterMs: 50_000, seatIdleMs: 40_000 })
    comes(story, 'ann')
    const first = story.seatOf('ann')?.name
    for (let n = 0; n < 6; n++) story.passes(10_000).uses('ann')
    comes(story, 'bob')
    assert.notEqual(story.seatOf('bob')?.name, first)
    assert.equal(story.seatOf('ann')?.phase, 'ready')
    story.passes(80_000).obeys()
    assert.ok(![...story.state.workspaces.keys()].some((name) => name === first))
  })

  it('is left in the queue by each person separately', () => {
    const story = shared({}, { maxWorkspaces: 1 })
    comes(story, 'ann')
    comes(story, 'bob')
    story.asks('cid')
    story.passes(20_000)
    story.asks('dan')
    assert.equal(story.seatOf('dan')?.seats.length, 2)
    story.passes(15_000)
    assert.deepEqual([story.seatOf('cid'), story.seatOf('dan')?.seats.length], [undefined, 1])
    story.passes(15_000)
    assert.equal(story.state.queue.length, 0)
  })

  it('gets the first person who waits elsewhere when a seat becomes free', () => {
    const story = shared({ seatIdleMs: 40_000 }, { maxWorkspaces: 1 })
    comes(story, 'ann')
    comes(story, 'bob')
    story.asks('cid')
    story.asks('dan')
    for (let n = 0; n < 8; n++) {
      story.passes(10_000)
      story.uses('bob')
      story.asks('cid', { since: 1 })
      story.asks('dan', { since: 1 })
    }
    assert.equal(story.seatOf('cid')?.name, story.seatOf('bob')?.name)
    assert.equal(story.seatOf('dan')?.phase, 'queued')
    assert.equal(story.asks('cid').status, 'granted')
  })

  it('hazard: leaves the queue when all people who waited for it have moved', () => {
    const story = shared({}, { maxWorkspaces: 2 })
    comes(story, 'ann')
    comes(story, 'zed')
    comes(story, 'bob')
    for (const who of ['cid', 'dan', 'eve', 'fay']) story.asks(who)
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('dan') })
    assert.notEqual(story.seatOf('fay')?.name, story.seatOf('eve')?.name)
    const options = { policy: { seats: 2 }, limits: { maxStarting: 1 } }
    const restarted = new Scenario(options, story.recorded)
    restarted.looks().connects()
    const { state } = restarted
    const queued = [...state.workspaces.values()].filter(({ phase }) => phase === 'queued')
    assert.deepEqual(
      state.queue,
      queued.map(({ name }) => name),
    )
    assert.equal(restarted.seatOf('fay')?.name, restarted.seatOf('eve')?.name)
  })

  it('goes on starting for the others when one person cancels', () => {
    const story = shared({}, { maxStarting: 1 })
    story.asks('ann')
    story.asks('bob')
    story.passes(1_000)
    story.hears({ type: 'cancel-requested', template: 'lab', user: person('ann') })
    const held = story.asks('ann', { since: story.now - 500 })
    assert.equal(codeOf(held), 'workspace_stopped')
    const loadedAgain = story.asks('ann', { waitedMs: 500 })
    assert.equal(codeOf(loadedAgain), 'workspace_stopped')
    assert.equal(story.seatOf('ann'), undefined)
    assert.equal(story.seatOf('bob')?.phase, 'pulling')
    assert.equal(codeOf(story.asks('ann')), 'waiting')
  })

  it('is not started by a request that may not start anything', () => {
    const story = shared({})
    assert.equal(codeOf(story.asks('ann', { start: 'no' })), 'workspace_idle')
    assert.equal(codeOf(story.asks('ann', { start: 'wake' })), 'workspace_stopped')
    assert.deepEqual(story.orders, [])
  })

  it('hazard: gives no seat to another person of the same name', () => {
    const story = shared({})
    comes(story, 'ann')
    const reply = story.asks(person('ann', { subject: 'u-another' }))
    assert.equal(codeOf(reply), 'identity_reused')
  })
})

describe('a route to one workspace', () => {
  it('leads the owner there and nobody else', () => {
    const story = begun()
    comes(story, 'ann')
    const [workspace] = story.state.workspaces.keys()
    assert.ok(workspace)
    assert.equal(codeOf(story.asks('ann', { workspace })), 'granted')
    assert.equal(codeOf(story.asks('bob', { workspace })), 'template_forbidden')
    const unknown = 'lab-nobody' as typeof workspace
    assert.equal(codeOf(story.asks('bob', { workspace: unknown })), 'workspace_unknown')
  })

  it('gives a seat in a shared workspace, as long as one is free', () => {
    const story = shared({})
    comes(story, 'ann')
    const workspace = story.seatOf('ann')?.name
    assert.ok(workspace)
    assert.equal(codeOf(story.asks('bob', { workspace })), 'granted')
    const reply = story.asks('cid', { workspace })
    assert.equal(codeOf(reply), 'limit_template')
    assert.equal(reply.status === 'refused' ? reply.limit : undefined, 2)
  })
})

describe('a workspace that is opened for everybody', () => {
  it('has a place at once and a name of its own, and takes everybody', () => {
    const story = begun({ limits: { maxWorkspaces: 1 } })
    const { reply: workspace } = story.hears({ type: 'open-requested', template: 'lab' })
    assert.ok(workspace !== undefined)
    story.obeys()
    for (const who of people(1, 12)) assert.equal(codeOf(story.asks(who, { workspace })), 'granted')
  })

  it('is not opened where there is no place', () => {
    const story = begun({ limits: { maxWorkspaces: 1 } })
    comes(story, 'ann')
    const { reply: workspace } = story.hears({ type: 'open-requested', template: 'lab' })
    assert.equal(workspace, undefined)
    assert.equal(story.state.workspaces.size, 1)
    assert.deepEqual(story.state.queue, [])
  })
})

describe('a template that starts by a click', () => {
  it('is started by nothing else', () => {
    const story = begun({ policy: { startsBy: 'click' } })
    const reply = story.asks('ann')
    assert.equal(codeOf(reply), 'workspace_stopped')
    assert.match(reply.status === 'refused' ? reply.failure.detail : '', /click/)
    assert.deepEqual(story.orders, [])
    story.hears({ type: 'start-requested', template: 'lab', user: person('ann') })
    assert.equal(codeOf(story.asks('ann')), 'waiting')
    story.obeys()
    assert.equal(codeOf(story.asks('ann')), 'granted')
    story.passes(200_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(codeOf(story.asks('ann')), 'workspace_stopped')
  })

  it('hazard: a held request counts as presence of a person who waits in the queue after a click', () => {
    const story = begun({ policy: { startsBy: 'click' }, limits: { maxWorkspaces: 1 } })
    story.hears({ type: 'start-requested', template: 'lab', user: person('ann') })
    story.obeys()
    story.hears({ type: 'start-requested', template: 'lab', user: person('bob') })
    for (let round = 0; round < 4; round += 1)
      assert.equal(codeOf(story.passes(20_000).asks('bob')), 'waiting')
  })
})

describe('a private workspace', () => {
  it('is removed instead of stopped when it has served its total', () => {
    const story = begun({ policy: { seatsTotal: 1 } })
    comes(story, 'ann')
    story.passes(200_000).obeys()
    assert.equal(story.phase('ann'), 'absent')
  })

  it('counts one more person served with each start', () => {
    const story = begun({ policy: { seatsTotal: 2 } })
    comes(story, 'ann')
    story.passes(200_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    comes(story, 'ann')
    assert.equal(story.workspace('ann').served, 2)
    story.passes(200_000).obeys()
    assert.equal(story.phase('ann'), 'absent')
  })
})

describe('a private workspace whose template ends seats with the last connection', () => {
  const left = { persistBetweenReconnects: false, seats: 1 }
  const reports = (story: Scenario, connections: number) => {
    const workspace = story.workspace('ann').name
    const seat = { workspace, user: person('ann').name, lastUseAgoMs: 0, connections }
    story.hears({ type: 'activity-reported', director, seats: [seat] })
  }

  it('ends when its person has left, and its container with it', () => {
    const story = begun({ policy: left })
    comes(story, 'ann')
    for (let n = 0; n < 6; n++) {
      story.passes(10_000)
      reports(story, 1)
    }
    assert.equal(story.phase('ann'), 'ready')
    reports(story, 0)
    story.passes(50_000).obeys()
    assert.equal(story.phase('ann'), 'absent')
    assert.ok(story.history.includes('remove-container'))
  })

  it('stays if the person comes back while the lease lasts', () => {
    const story = begun({ policy: left })
    comes(story, 'ann')
    story.passes(10_000)
    reports(story, 0)
    story.passes(10_000)
    assert.equal(story.asks('ann').status, 'granted')
    for (let n = 0; n < 6; n++) {
      story.passes(10_000)
      reports(story, 1)
    }
    assert.equal(story.phase('ann'), 'ready')
  })

  it('stays by default', () => {
    const story = begun()
    comes(story, 'ann')
    reports(story, 0)
    story.passes(50_000).obeys()
    assert.equal(story.phase('ann'), 'ready')
  })
})
