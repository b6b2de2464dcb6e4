import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Container, FoundContainer } from '../domain.ts'
import {
  begun,
  director,
  nameOf,
  person,
  Scenario,
  user,
  withReady,
  type ScenarioOptions,
} from '../testing/scenario.ts'

const seen = (
  who: string,
  container: Partial<Container>,
  more: Partial<FoundContainer> = {},
): FoundContainer => ({
  workspace: nameOf(who),
  template: 'lab',
  kind: 'private',
  owner: person(who),
  network: 0,
  container: {
    generation: `${who}-1`,
    spec: 'spec-1',
    status: 'running',
    address: '10.213.0.2',
    ...container,
  },
  ...more,
})
const network = (index: number, ...attached: string[]) => ({
  index,
  egress: 'internet' as const,
  attached,
})

/** Nothing is offered, so the template of no container exists. */
const noTemplates: ScenarioOptions = { config: { templates: new Map() } }

/** A spawner that finds these containers and networks when it starts. */
function finds(
  containers: readonly FoundContainer[],
  networks = [network(0, director)],
  options: ScenarioOptions = {},
): Scenario {
  return new Scenario(options).looks({ containers, networks }).connects()
}

describe('the spawner after its own start', () => {
  it('takes a workspace that has run for long as ready, as in use now, and as leased for one full lease', () => {
    const story = finds([seen('ann', { startedAt: 0 })])
    assert.equal(story.phase('ann'), 'ready')
    assert.equal(story.workspace('ann').lastUseAt, story.now)
    assert.equal(story.workspace('ann').leasedUntil, story.now + 30_000)
    assert.deepEqual(story.ordered(), [])
    assert.equal(story.asks('ann').status, 'granted')
  })

  it('gives a workspace that has just been started the rest of its start timeout', () => {
    const story = finds([seen('ann', { startedAt: 990_000 })])
    assert.equal(story.phase('ann'), 'probing')
    assert.deepEqual(story.ordered(), ['probe'])
    story.orders.length = 0
    story.passes(51_999)
    assert.equal(story.phase('ann'), 'probing')
    story.passes(1)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('waits for a director before it fails a start', () => {
    const story = new Scenario().looks({
      containers: [seen('ann', { startedAt: 990_000 })],
      networks: [network(0, director)],
    })
    story.passes(55_000)
    assert.equal(story.phase('ann'), 'probing')
    story.connects().obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('keeps the start that people were told the end of, although the engine measures another moment', () => {
    const networks = [network(0, director)]
    const story = finds([seen('ann', { startedAt: 1_000 })])
    story.looks({ containers: [seen('ann', { startedAt: 997.3, imageId: 'i' })], networks })
    assert.equal(story.workspace('ann').container?.imageId, 'i')
    assert.equal(story.workspace('ann').container?.startedAt, 1_000)
    story.looks({ containers: [seen('ann', { startedAt: 60_000, imageId: 'j' })], networks })
    assert.equal(story.workspace('ann').container?.startedAt, 60_000, 'it was started again')
  })

  it('removes a workspace that was only partly made, and its network, and makes it again for a person who requests it', () => {
    const story = finds([seen('ann', { status: 'created' })])
    assert.deepEqual(story.ordered(), ['remove-container'])
    story.asks('ann')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
    const quiet = finds([seen('ann', { status: 'created' })]).obeys()
    assert.equal(quiet.phase('ann'), 'absent')
    quiet.passes(30_000).obeys()
    assert.equal(quiet.state.networks.size, 0)
  })

  it('keeps stopped workspaces, and counts their idle time from the end of the container', () => {
    const ended = seen('ann', { status: 'exited', exitCode: 0 }, { finishedAgoMs: 900_000 })
    const story = finds([ended])
    assert.equal(story.phase('ann'), 'stopped')
    story.passes(99_999)
    assert.deepEqual(story.ordered(), [])
    story.passes(1)
    assert.deepEqual(story.ordered(), ['remove-container'])
  })

  it('removes a stopped workspace whose network is missing, because it could never start', () => {
    const story = finds([seen('ann', { status: 'exited' }, { network: 5 })], [])
    assert.deepEqual(story.ordered(), ['remove-container'])
    story.asks('ann')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('keeps a running workspace whose template does not exist until it is idle, then removes it', () => {
    const story = finds([seen('ann', { startedAt: 0 })], undefined, noTemplates)
    assert.equal(story.phase('ann'), 'ready')
    story.passes(15 * 60_000 - 1)
    assert.equal(story.phase('ann'), 'ready')
    story.passes(1).obeys()
    assert.equal(story.phase('ann'), 'absent')
  })

  it('removes a stopped workspace whose template does not exist', () => {
    const story = finds([seen('ann', { status: 'exited' })], undefined, noTemplates)
    assert.deepEqual(story.ordered(), ['remove-container'])
  })

  it('admits no start while the workspaces that it found take all places', () => {
    const found = [seen('ann', { startedAt: 0 }), seen('bob', { startedAt: 0 }, { network: 1 })]
    const networks = [network(0, director), network(1, director)]
    const story = finds(found, networks, { limits: { maxWorkspaces: 1 } })
    story.asks('cid')
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['ready', 'ready', 'queued'])
  })

  it('counts the lifetime from the start of the container', () => {
    const found = [seen('ann', { startedAt: 0 })]
    const options = { policy: { maxLifetimeMs: 1_010_000 } }
    const story = finds(found, undefined, options)
    assert.equal(story.phase('ann'), 'ready')
    story.passes(10_000)
    assert.equal(story.phase('ann'), 'stopping')
  })

  it('lets the networks that it finds rest, then keeps the spares and removes the others', () => {
    const networks = [network(3), network(4, director), network(9)]
    const story = finds([], networks, { config: { spareNetworks: 1 } })
    story.asks('ann')
    story.obeys()
    assert.equal(story.workspace('ann').network, 0)
    story.passes(30_000).obeys()
    assert.deepEqual([...story.state.networks.keys()].sort(), [0, 3])
  })
})

describe('an inventory', () => {
  it('hazard: an inventory that began before a change does not undo the change', () => {
    const story = begun()
    const startedAt = story.now
    story.passes(100)
    story.asks('ann')
    story.obeys()
    story.passes(100).looks({ startedAt })
    assert.equal(story.phase('ann'), 'ready')
    assert.equal(story.state.networks.size, 1)
  })

  it('hazard: an inventory that began before a removal does not bring the workspace back', () => {
    const story = withReady(['ann'])
    story.passes(100_000).obeys()
    const container = story.workspace('ann').container ?? assert.fail()
    story.passes(899_000)
    const startedAt = story.now
    story.passes(1_000).obeys()
    assert.equal(story.phase('ann'), 'absent')
    story.looks({
      startedAt,
      containers: [seen('ann', container)],
      networks: [network(0, director)],
    })
    assert.equal(story.phase('ann'), 'absent')
    assert.deepEqual(story.ordered(), [])
  })

  it('does not interfere with a step that is under way', () => {
    const story = begun()
    story.asks('ann')
    story.passes(1_000).looks()
    assert.equal(story.phase('ann'), 'pulling')
    assert.deepEqual(story.ordered(), ['create-network', 'pull-image'])
  })

  it('makes up for a step result that was lost long ago', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image')
    story.orders.length = 0
    for (let minutes = 0; minutes < 16; minutes++) {
      story.passes(60_000)
      story.looks({ networks: [network(0, director)] })
    }
    assert.deepEqual(story.ordered(), ['create-container'])
  })

  it('shows that a workspace was removed, and the spawner starts it for a person who requests it', () => {
    const story = withReady(['ann'])
    story.passes(10).looks({ networks: [network(0, director)] })
    assert.equal(story.phase('ann'), 'absent')
    story.asks('ann')
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })

  it('shows that the container of a requested workspace has vanished: the workspace returns to its position in the queue', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image')
    story.obeys('create-container', 'start-container')
    story.orders.length = 0
    const { ticket } = story.workspace('ann')
    story.passes(10).looks({ networks: [network(0, director)] })
    assert.equal(story.phase('ann'), 'pulling')
    assert.equal(story.workspace('ann').ticket, ticket)
  })

  it('shows that a container ended although no event reported it', () => {
    const story = withReady(['ann'])
    const container = story.workspace('ann').container ?? assert.fail()
    const ended = seen('ann', { ...container, status: 'exited', exitCode: 9 })
    story.passes(10).looks({ containers: [ended], networks: [network(0, director)] })
    assert.equal(story.phase('ann'), 'stopped')
    assert.equal(story.workspace('ann').container?.exitCode, 9)
  })

  it('does not clear the failure of a start whose leftovers are removed', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'pull-image')
    story.fails('create-container')
    assert.equal(story.phase('ann'), 'failed')
    story.passes(10).looks({ containers: [seen('ann', { status: 'created' })] })
    assert.ok(story.ordered().includes('remove-container'))
    story.obeys()
    assert.equal(story.phase('ann'), 'failed')
    assert.equal(story.workspace('ann').failure?.detail, 'create-container failed')
  })

  it('binds homes to the subjects that it lists', () => {
    const story = begun().looks({ subjects: new Map([[user('ann'), 'u-ann']]) })
    assert.equal(story.asks('ann').status, 'waiting')
    assert.equal(story.asks(person('ann', { subject: 'x' })).status, 'refused')
  })
})

describe('an engine that is unreachable', () => {
  it('causes no stop and no start until it is reachable again', () => {
    const story = withReady(['ann', 'bob'])
    story.asks('cid')
    story.hears({ type: 'engine-lost', detail: 'gone' })
    story.fails('pull-image', true)
    story.orders.length = 0
    story.passes(200_000)
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['ready', 'ready', 'pulling'])
    assert.deepEqual(story.ordered(), [])
    const waiting = story.asks('cid')
    assert.ok(waiting.status === 'refused' && waiting.failure.code === 'engine_unreachable')
    story.passes(10)
    story.hears({ type: 'tick' })
    assert.deepEqual(story.ordered(), [])
    const running = [...story.state.workspaces.values()].flatMap(({ container, owner, network }) =>
      container === undefined || network === undefined || owner === undefined
        ? []
        : [seen(owner.name, container, { network })],
    )
    const networks = [...story.state.networks.keys()].map((index) => network(index, director))
    story.looks({ containers: running, networks })
    assert.deepEqual(story.phases('ann', 'bob', 'cid'), ['stopping', 'stopping', 'pulling'])
  })

  it('sets no timers for work that needs the engine', () => {
    const story = withReady(['ann'])
    story.hears({ type: 'engine-lost', detail: 'gone' })
    story.passes(500_000)
    assert.equal(story.nextDeadlineAt, undefined)
  })

  it('hazard: an engine restart does not count as a failure of a workspace that was starting', () => {
    const story = begun()
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image')
    story.obeys('create-container', 'start-container')
    story.orders.length = 0
    story.hears({ type: 'engine-lost', detail: 'gone' })
    const container = story.workspace('ann').container ?? assert.fail()
    const ended = seen('ann', { ...container, status: 'exited', exitCode: 137 })
    story.passes(5_000).looks({ containers: [ended], networks: [network(0, director)] })
    assert.deepEqual(story.ordered(), ['start-container'])
    story.obeys()
    assert.equal(story.phase('ann'), 'ready')
  })
})
