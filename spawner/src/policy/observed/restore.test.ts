import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sharedName, standbyName } from '@berth/shared/names'
import { testTemplate } from '../../templates/testing/test-template.ts'
import type { Container, Recorded, FoundContainer, WorkspaceRecord } from '../domain.ts'
import {
  begun,
  director,
  nameOf,
  person,
  prefix,
  Scenario,
  withReady,
  type ScenarioOptions,
} from '../testing/scenario.ts'

const running = (generation: string, more: Partial<Container> = {}): Container => ({
  generation,
  spec: 'spec-1',
  status: 'running',
  startedAt: 0,
  address: '10.213.0.2',
  ...more,
})
const seen = (
  there: Partial<FoundContainer> & Pick<FoundContainer, 'container'>,
): FoundContainer => ({
  workspace: nameOf('ann'),
  template: 'lab',
  kind: 'private',
  owner: person('ann'),
  network: 0,
  ...there,
})
const standby = standbyName(prefix, 3)
const seenStandby = (more: Partial<Container> = {}) =>
  seen({ workspace: standby, kind: 'standby', owner: undefined, container: running('g3', more) })
const record = (of: Partial<WorkspaceRecord> = {}): WorkspaceRecord => ({
  name: nameOf('ann'),
  template: 'lab',
  kind: 'private',
  owner: person('ann'),
  generation: 'g3',
  queueTicket: undefined,
  seats: [{ person: person('ann'), ticket: 4 }],
  served: 1,
  extendedMs: 0,
  stoodByMs: 0,
  held: false,
  ...of,
})
const recorded = (...workspaces: readonly WorkspaceRecord[]): Recorded => ({
  workspaces,
  nextTicket: 40,
})
const networks = [{ index: 0, egress: 'internet' as const, attached: [director] }]

function finds(
  containers: readonly FoundContainer[],
  known: Recorded,
  options: ScenarioOptions = {},
): Scenario {
  return new Scenario(options, known).looks({ containers, networks }).connects()
}

/** The template has no home, so no data of a person outlives the container. */
function withoutHome(): ScenarioOptions {
  const template = testTemplate('lab')
  return { config: { templates: new Map([[template.name, template]]) } }
}

describe('a record', () => {
  it('of a hold has the workspace thawed after a restart, unless the copy asks again', () => {
    const paused = seen({ container: running('g3', { status: 'paused' }) })
    const policy = { idleFreezeMs: 3_600_000, idleStopMs: 7_200_000 }
    const story = finds([paused], recorded(record({ held: true })), { policy })
    assert.equal(story.phase('ann'), 'frozen')
    story.passes(80_000)
    assert.deepEqual(story.ordered(), [], 'the command asks again each minute')
    story.hears({ type: 'hold-requested', workspace: nameOf('ann'), ms: 60_000 })
    story.passes(50_000)
    assert.deepEqual(story.ordered(), [])
    story.passes(11_000)
    assert.deepEqual(story.ordered(), ['thaw-container'])
    story.obeys()
    assert.equal(story.recorded.workspaces[0]?.held, false)
    const other = finds([paused], recorded(record()), { policy }).passes(130_000)
    assert.deepEqual(other.ordered(), [], 'frozen for another reason')
  })

  it('gives a claimed standby back to the person who claimed it, by the container’s id', () => {
    for (const name of [undefined, standby, nameOf('ann')]) {
      const story = finds([seenStandby(name === undefined ? {} : { name })], recorded(record()))
      const workspace = story.workspace('ann')
      assert.equal(workspace.phase, 'ready')
      assert.equal(workspace.kind, 'private')
      assert.equal(workspace.owner?.subject, 'u-ann')
      assert.equal(story.asks('ann').status, 'granted')
      assert.equal(story.state.workspaces.has(standby), false)
    }
  })

  it('hazard: after a restart, a workspace that the API made for a name alone still belongs to the first person who signed in under that name', () => {
    const options = withoutHome()
    const unknown = person('ann', { subject: '' })
    const there = seen({ owner: unknown, container: running('g3') })
    const story = finds([there], recorded(record({ extendedMs: 5 })), options)
    assert.equal(story.workspace('ann').owner?.subject, 'u-ann')
    assert.equal(story.workspace('ann').extendedMs, 5)
    const other = story.asks(person('ann', { subject: 'u-other' }))
    assert.equal(other.status === 'refused' && other.failure.code, 'identity_reused')
    assert.equal(story.asks('ann').status, 'granted')
  })

  it('does not give a person a container that is labelled with the subject of another person', () => {
    const there = seen({ owner: person('ann', { subject: 'u-other' }), container: running('g3') })
    const story = finds([there], recorded(record()), withoutHome())
    assert.equal(story.workspace('ann').owner?.subject, 'u-other')
  })

  it('gives back seats, served totals and extensions', () => {
    const name = sharedName(prefix, 7)
    const seats = [
      { person: person('ann'), ticket: 11 },
      { person: person('bob'), ticket: 14 },
    ]
    const kept = record({ name, kind: 'shared', owner: undefined, seats, served: 9, extendedMs: 5 })
    const there = seen({
      workspace: name,
      kind: 'shared',
      owner: undefined,
      container: running('g3'),
    })
    const story = finds([there], recorded(kept), { policy: { seats: 10, maxLifetimeMs: 1e9 } })
    const workspace = story.state.workspaces.get(name)
    assert.equal(workspace?.kind, 'shared')
    assert.deepEqual(
      workspace?.seats.map((seat) => [seat.person.name, seat.ticket, seat.seenAt]),
      [
        ['ann', 11, story.now],
        ['bob', 14, story.now],
      ],
    )
    assert.equal(workspace?.served, 9)
    assert.equal(workspace?.extendedMs, 5)
    assert.deepEqual(story.recorded.workspaces, [kept])
  })

  it('never makes a person the owner of a container whose labels name another owner', () => {
    const stranger = person('ann', { subject: 'u-other' })
    for (const of of [
      record({ generation: 'g1', name: nameOf('bob'), owner: person('bob') }),
      record({ generation: 'g1', owner: stranger }),
      record({ generation: 'g1', kind: 'shared', owner: undefined }),
    ]) {
      const story = finds([seen({ container: running('g1') })], recorded(of))
      assert.equal(story.workspace('ann').owner?.subject, 'u-ann')
      assert.equal(story.workspace('ann').kind, 'private')
      assert.equal(story.phase('bob'), 'absent')
    }
  })

  it('gives a person no second container: the container that is labelled as theirs is the only one', () => {
    const own = seen({ container: running('g1') })
    const story = finds([own, { ...seenStandby(), network: 1 }], recorded(record()))
    assert.equal(story.workspace('ann').container?.generation, 'g1')
    const private_ = [...story.state.workspaces.values()].filter(({ kind }) => kind === 'private')
    assert.equal(private_.length, 1)
  })

  it('is discarded after the first inventory if its workspace does not exist', () => {
    const story = finds([], recorded(record(), record({ name: nameOf('bob') })))
    assert.deepEqual(story.recorded.workspaces, [])
    assert.equal(story.state.workspaces.size, 0)
    assert.equal(story.recorded.nextTicket, 40)
  })

  it('is kept until an inventory succeeds', () => {
    const story = new Scenario({}, recorded(record()))
    story.hears({ type: 'engine-lost', detail: 'gone' })
    assert.equal(story.recorded.workspaces.length, 1)
    story.looks({ containers: [seenStandby()], networks })
    assert.equal(story.phase('ann'), 'ready')
  })
})

describe('a person who waited before a restart', () => {
  const queued = (who: string, queueTicket: number) =>
    record({
      name: nameOf(who),
      owner: person(who),
      generation: undefined,
      queueTicket,
      seats: [],
      served: 0,
    })

  it('waits again in the same order, ahead of people who arrive now, and counts as present', () => {
    const story = finds([], recorded(queued('cy', 9), queued('ann', 3), queued('bob', 5)), {
      limits: { maxWorkspaces: 1 },
    })
    assert.deepEqual(story.phases('ann', 'bob', 'cy'), ['pulling', 'queued', 'queued'])
    story.asks('dan')
    assert.deepEqual(story.state.queue, [nameOf('bob'), nameOf('cy'), nameOf('dan')])
    assert.equal(story.workspace('dan').ticket, 40)
    story.passes(29_999)
    assert.equal(story.state.queue.length, 3)
    story.passes(1)
    assert.deepEqual(story.state.queue, [])
  })

  it('is started first when the restart interrupted the start, whichever step was the last', () => {
    const cut = begun({ limits: { maxWorkspaces: 1 } })
    cut.asks('ann')
    cut.asks('bob')
    for (const steps of [['pull-image'], ['create-container'], []] as const) {
      const story = new Scenario({ limits: { maxWorkspaces: 1 } }, cut.recorded)
      const { container } = cut.workspace('ann')
      story.looks({
        containers: container === undefined ? [] : [seen({ container, network: 0 })],
        networks: cut.state.networks.size === 0 ? [] : networks,
      })
      story.connects().obeys()
      story.asks('ann')
      story.obeys()
      assert.equal(story.phase('ann'), 'ready', `cut before ${steps.join()}`)
      assert.equal(story.phase('bob'), 'queued')
      cut.obeys('create-network', ...steps)
    }
  })

  it('stays in the queue also if the queue is longer than its limit, and a standby is evicted at once', () => {
    const lab = testTemplate('lab')
    const hub = testTemplate('hub', { policy: { standby: 1 } })
    const templates = new Map([lab, hub].map((template) => [template.name, template]))
    const waiting = ['ann', 'bob', 'cid'].map((name, queueTicket) =>
      record({ name: nameOf(name), owner: person(name), generation: undefined, queueTicket }),
    )
    const spare = seen({
      workspace: standbyName(hub.prefix, 3),
      template: 'hub',
      kind: 'standby',
      owner: undefined,
      container: running('g3'),
    })
    const limits = { maxWorkspaces: 1, maxQueue: 2 }
    const story = new Scenario({ limits, config: { templates } }, recorded(...waiting))
    story.looks({ containers: [spare], networks })
    assert.equal(story.state.queue.length, 3)
    assert.ok(story.ordered().includes('stop-container'))
  })

  it('is removed from the queue if they may not have the workspace any more', () => {
    const options = { policy: { allowedUsers: ['bob'] } }
    const story = finds([], recorded(queued('ann', 3), queued('bob', 5)), options)
    assert.deepEqual(story.phases('ann', 'bob'), ['absent', 'pulling'])
    const other = new Scenario({}, recorded(queued('ann', 3)))
    other.looks({ subjects: new Map([[person('ann').name, 'u-other']]) })
    assert.equal(other.phase('ann'), 'absent')
    const gone = finds([], recorded(queued('ann', 3)), { config: { templates: new Map() } })
    assert.equal(gone.state.workspaces.size, 0)
    assert.deepEqual(gone.recorded.workspaces, [])
  })
})

describe('ticket numbers', () => {
  it('continue after the highest number that was ever given, also when its record is lost', () => {
    const shared = seen({
      workspace: sharedName(prefix, 70),
      kind: 'shared',
      owner: undefined,
      container: running('g7'),
    })
    const story = finds([shared], { workspaces: [], nextTicket: 1 })
    assert.ok(story.state.nextTicket > 70)
    assert.equal(story.recorded.nextTicket, story.state.nextTicket)
  })
})

describe('the record changes of a decision', () => {
  it('are none while people only use what they have', () => {
    const story = withReady(['ann'])
    const before = story.recorded
    assert.equal(before.workspaces.length, 1)
    story.reports('ann', 0)
    story.asks('ann')
    story.passes(1_000)
    assert.equal(story.recorded, before)
  })

  it('are one record for each workspace, and its removal at the end', () => {
    const story = withReady(['ann', 'bob'])
    assert.deepEqual(
      story.recorded.workspaces.map(({ name, queueTicket }) => [name, queueTicket]),
      [
        [nameOf('ann'), undefined],
        [nameOf('bob'), undefined],
      ],
    )
    story.passes(100_000).obeys()
    story.passes(1_000_000).obeys()
    assert.deepEqual(story.recorded.workspaces, [])
  })
})

describe('an inventory', () => {
  it('does not bring back a container that was removed after the inventory began, whatever its labels say', () => {
    const story = finds([seenStandby({ name: nameOf('ann') })], recorded(record()))
    const startedAt = story.now
    story.passes(100_000).obeys()
    story.passes(1_000_000).obeys()
    assert.equal(story.phase('ann'), 'absent')
    story.looks({ startedAt: startedAt + 1, containers: [seenStandby({ name: nameOf('ann') })] })
    assert.equal(story.state.workspaces.size, 0)
  })

  it('is ignored if an inventory that began later was handled before it', () => {
    const story = finds([seenStandby({ name: nameOf('ann') })], recorded(record()))
    const startedAt = story.now + 1
    story.passes(100_000).obeys()
    story.passes(1_000_000).obeys()
    story.looks({ startedAt: story.now + 1 })
    story.looks({ startedAt, containers: [seenStandby({ name: nameOf('ann') })] })
    assert.equal(story.state.workspaces.size, 0)
  })
})
