import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { FoundContainer, Workspace } from '../domain.ts'
import { drainsAt } from '../state/deadlines.ts'
import { noLimits } from '../testing/no-limits.ts'
import { configWith, director, nameOf, person, Scenario } from '../testing/scenario.ts'
import type { ScenarioOptions } from '../testing/scenario.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import type { TemplatePolicy } from '../../templates/template.ts'

type Options = ScenarioOptions & { readonly templateOf?: Partial<TemplatePolicy> }

function optionsWith(standby: number, { templateOf, ...options }: Options = {}): ScenarioOptions {
  const lab = testTemplate('lab', {
    spec: { readyPath: '/api', memoryBytes: 100 },
    policy: {
      standby,
      idleStopMs: 100_000,
      idleRemoveMs: 1_000_000,
      startTimeoutMs: 60_000,
      ...templateOf,
    },
  })
  return { ...options, config: { templates: new Map([['lab', lab]]), ...options.config } }
}

/** A spawner whose standbys are ready. */
function standing(standby: number, options: Options = {}): Scenario {
  return new Scenario(optionsWith(standby, options)).looks().connects().obeys()
}

const standbys = ({ state }: Scenario): Workspace[] =>
  [...state.workspaces.values()].filter(({ kind }) => kind === 'standby')
const ready = (story: Scenario) => standbys(story).filter(({ phase }) => phase === 'ready')
const generations = (of: readonly Workspace[]) => of.map(({ container }) => container?.generation)

const removals = ({ orders }: Scenario) =>
  orders.flatMap((step) => (step.type === 'remove-container' ? [step.generation] : []))

/** Everything as a look finds it, by labels: under the names that things were made with. */
function seenIn({ state }: Scenario, renamed: boolean): FoundContainer[] {
  return [...state.workspaces.values()].flatMap(({ container, kind, name, owner, network }) => {
    if (container === undefined) return []
    const made = /^(.*--\d+)#/.exec(container.generation)?.[1]
    const isClaimed = made !== undefined && made !== name
    return {
      workspace: isClaimed ? (made as typeof name) : name,
      template: 'lab',
      kind: isClaimed ? 'standby' : kind,
      owner: isClaimed ? undefined : owner,
      ...(network === undefined ? {} : { network }),
      container: { ...container, name: isClaimed && !renamed ? made : name },
    } satisfies FoundContainer
  })
}

/** The spawner dies, and another finds what there is. */
function restarted(story: Scenario, standby: number, renamed: boolean): Scenario {
  const again = new Scenario(optionsWith(standby), story.recorded)
  // Long enough for what runs to be taken as ready.
  again.now = story.now + 61_000
  const networks = [...story.state.networks.values()].map(({ index, egress, attached }) => ({
    index,
    egress,
    attached,
  }))
  return again.looks({ containers: seenIn(story, renamed), networks }).connects()
}

describe('standbys', () => {
  it('are created and reached by a director in advance, and their number is kept up', () => {
    const story = standing(2)
    assert.equal(ready(story).length, 2)
    for (const { owner, network } of standbys(story)) {
      assert.equal(owner, undefined)
      assert.deepEqual(story.state.networks.get(network ?? -1)?.attached, [director])
    }
    assert.deepEqual(story.recorded.workspaces, [])
    story.passes(10_000_000)
    assert.equal(ready(story).length, 2)
  })

  it('are claimed in the decision about the request, each by another person', () => {
    const story = standing(3)
    const before = new Set(generations(ready(story)))
    const took = ['ann', 'bob', 'cy'].map((who) => {
      const reply = story.asks(who)
      assert.equal(reply.status, 'granted', who)
      assert.equal(reply.workspace, nameOf(who))
      return reply.generation
    })
    assert.deepEqual(new Set(took), before)
    assert.deepEqual(story.phases('ann', 'bob', 'cy'), ['ready', 'ready', 'ready'])
    assert.equal(story.workspace('ann').owner?.subject, 'u-ann')
    const ordered = story.ordered().filter((type) => type === 'rename-container')
    assert.equal(ordered.length, 3)
    story.obeys()
    assert.equal(ready(story).length, 3)
    assert.equal(story.workspace('ann').container?.name, nameOf('ann'))
    assert.deepEqual(story.ordered(), [])
  })

  it('are measured from the request to the grant, as starts of their own kind', () => {
    const story = standing(1)
    story.asks('ann')
    const announced = story.said.find(
      (step) => step.type === 'announce' && step.workspace === nameOf('ann'),
    )
    assert.deepEqual(announced, {
      type: 'announce',
      workspace: nameOf('ann'),
      phase: 'ready',
      start: { kind: 'standby', ms: 0 },
    })
    assert.deepEqual(story.state.measured.get('lab')?.standbyMs, [0])
    assert.equal(story.state.measured.get('lab')?.staysMs.length, 0)
  })

  it('belong to one person after a claim, and stay one container with one network', () => {
    const story = standing(1)
    story.asks('ann')
    const { network, container } = story.workspace('ann')
    story.obeys()
    story.asks('bob')
    assert.notEqual(story.workspace('bob').container?.generation, container?.generation)
    assert.notEqual(story.workspace('bob').network, network)
    assert.equal(story.state.networks.get(network ?? -1)?.workspace, nameOf('ann'))
  })

  it('come after everybody in the queue, and hold no more places than there are', () => {
    const story = standing(2, { limits: { maxWorkspaces: 3 } })
    for (const who of ['ann', 'bob', 'cy', 'dan']) {
      story.asks(who)
      story.obeys()
      assert.ok(story.state.tally.places <= 3)
    }
    assert.deepEqual(story.phases('ann', 'bob', 'cy', 'dan'), ['ready', 'ready', 'ready', 'queued'])
    assert.equal(standbys(story).length, 0)
    assert.equal(story.ordered().length, 0)
  })

  it('are created within the limits of starts, memory and the template', () => {
    for (const [options, most] of [
      [{ limits: { maxMemoryBytes: 250 } }, 2],
      [{ limits: { maxWorkspaces: 1 } }, 1],
      [{ templateOf: { maxWorkspaces: 2 } }, 2],
      [{ config: { networkCount: 2 } }, 2],
    ] as const)
      assert.equal(ready(standing(4, options)).length, most)
    const slow = new Scenario(optionsWith(4, { limits: { maxStarting: 1 } })).looks().connects()
    for (let made = 0; made < 4; made++) {
      assert.equal(slow.state.tally.starting, 1)
      slow.obeys('create-network', 'attach-director', 'pull-image', 'create-container')
      slow.obeys('start-container')
      slow.obeys('probe')
    }
    assert.equal(ready(slow).length, 4)
  })

  it('take no place from the limits of people: a claim changes no count', () => {
    const story = standing(1, {
      limits: { maxWorkspaces: 1, maxWorkspacesPerUser: 1 },
      templateOf: { maxWorkspaces: 1 },
    })
    const { tally } = story.state
    assert.equal(story.asks('ann').status, 'granted')
    assert.equal(story.state.tally.places, tally.places)
  })

  it('are not claimed over the limit of a group', () => {
    const story = standing(2, { templateOf: { maxWorkspacesByGroup: { staff: 1 } } })
    assert.equal(story.asks('ann').status, 'granted')
    story.obeys()
    assert.equal(story.asks('bob').status, 'waiting')
    assert.equal(ready(story).length, 2)
    assert.equal(story.asks(person('cy', { groups: [] })).status, 'granted')
  })

  it('are not claimed for a name that something foreign has', () => {
    const story = standing(1)
    story.looks({
      containers: seenIn(story, false),
      networks: [...story.state.networks.values()],
      foreignNames: [nameOf('ann')],
    })
    const reply = story.asks('ann')
    assert.equal(reply.status, 'refused')
    assert.equal(reply.failure.code, 'name_taken')
    assert.equal(ready(story).length, 1)
  })

  it('are not claimed by people with a container of their own, nor by background requests', () => {
    const story = standing(1)
    story.asks('ann')
    story.obeys()
    story.passes(100_000).obeys()
    assert.equal(story.phase('ann'), 'stopped')
    const own = story.workspace('ann').container?.generation
    story.asks('ann')
    story.obeys()
    assert.equal(story.workspace('ann').container?.generation, own)
    assert.equal(story.asks('bob', { start: 'wake' }).status, 'refused')
    assert.equal(ready(story).length, 1)
  })

  it('are never created for templates that are shared or have a home', () => {
    assert.equal(standbys(standing(2, { templateOf: { seats: 4 } })).length, 0)
    const home = new Scenario({ policy: { standby: 2 } }).looks().connects().obeys()
    assert.equal(home.state.workspaces.size, 0)
  })

  it('are claimed by people in the queue as soon as they are ready', () => {
    const story = new Scenario(optionsWith(1, { limits: { maxStarting: 1 } })).looks().connects()
    story.asks('ann')
    story.obeys('create-network', 'attach-director', 'pull-image', 'create-container')
    story.obeys('start-container').obeys('probe')
    assert.equal(story.phase('ann'), 'ready')
    assert.match(String(story.workspace('ann').container?.generation), /standby/)
  })

  it('go to people who have no workspace before people who request a second one', () => {
    const { config } = optionsWith(1)
    const templates = new Map([...(config?.templates ?? []), ['gpu', testTemplate('gpu')]])
    const limits = { maxStarting: 1 }
    const story = new Scenario({ limits, config: { templates } }).looks()
    story.connects().obeys('create-network', 'attach-director')
    story.hears({ type: 'config-changed', config: { ...story.state.config, limits: noLimits } })
    story.asks('ann', { template: 'gpu' })
    story.hears({
      type: 'config-changed',
      config: { ...story.state.config, limits: { ...noLimits, ...limits } },
    })
    assert.equal(story.asks('ann').status, 'waiting')
    const bob = story.asks('bob')
    assert.equal(bob.status === 'waiting' && bob.position, 1)
    story.obeys('pull-image', 'create-network', 'attach-director', 'create-container')
    story.obeys('start-container')
    const probe = story.orders.find(
      (step) => step.type === 'probe' && /standby/.test(step.generation),
    )
    assert.ok(probe?.type === 'probe')
    const { generation, workspace } = probe
    story.hears({ type: 'probe-answered', director, workspace, generation, reachable: true })
    assert.deepEqual(story.phases('bob', 'ann'), ['ready', 'queued'])
  })

  it('count their lifetime for a person from the claim, also after a restart', () => {
    const options: Options = { templateOf: { maxLifetimeMs: 200_000, idleStopMs: 0 } }
    const story = standing(1, options).passes(150_000)
    story.asks('ann')
    story.obeys()
    const again = new Scenario(optionsWith(1, options), story.recorded)
    again.now = story.now
    again.looks({
      containers: seenIn(story, true),
      networks: [...story.state.networks.values()],
    })
    for (const either of [story, again]) {
      either.connects().passes(199_999)
      assert.equal(either.phase('ann'), 'ready')
      either.passes(1)
      assert.equal(either.phase('ann'), 'stopping')
    }
  })

  it('count the time until they drain from the claim as well', () => {
    const story = standing(1, { templateOf: { drainAfterMs: 200_000, idleStopMs: 0 } })
    story.passes(150_000)
    story.asks('ann')
    story.obeys()
    assert.equal(drainsAt(story.state.config, story.workspace('ann')), story.now + 200_000)
  })

  it('are replaced when their lifetime is over', () => {
    const story = standing(1, { templateOf: { maxLifetimeMs: 200_000 } })
    const [before] = generations(ready(story))
    story.passes(200_000).obeys()
    assert.equal(ready(story).length, 1)
    assert.notEqual(generations(ready(story))[0], before)
    assert.equal(story.state.workspaces.size, 1)
  })

  it('are replaced when their description changes, and removed with their template', () => {
    const story = standing(2)
    const config = { ...configWith(optionsWith(2)), specOf: () => 'spec-2' }
    story.hears({ type: 'config-changed', config })
    assert.equal(ready(story).length, 0)
    assert.equal(story.asks('ann').status, 'waiting')
    const fewer = standing(3)
    fewer.hears({ type: 'config-changed', config: configWith(optionsWith(1)) })
    fewer.obeys()
    assert.equal(ready(fewer).length, 1)
    fewer.hears({ type: 'config-changed', config: { ...config, templates: new Map() } })
    fewer.obeys()
    assert.equal(fewer.state.workspaces.size, 0)
  })
})

describe('a standby that fails', () => {
  it('is replaced after growing pauses, one at a time', () => {
    const story = new Scenario(optionsWith(3)).looks().connects()
    story.obeys('create-network', 'attach-director', 'pull-image')
    for (let made = 0; made < 3; made++) story.fails('create-container')
    assert.equal(standbys(story).filter(({ phase }) => phase === 'failed').length, 3)
    let pauseMs = 5_000
    for (let tries = 0; tries < 10; tries++) {
      story.passes(pauseMs - 1)
      story.obeys('remove-network')
      assert.deepEqual(story.ordered(), [], `${tries} tries, ${pauseMs} ms`)
      story.passes(1).obeys('create-network', 'attach-director', 'pull-image')
      assert.deepEqual(story.ordered(), ['create-container'])
      story.fails('create-container')
      pauseMs = Math.min(600_000, pauseMs * 2)
    }
    story.passes(600_000).obeys()
    assert.equal(ready(story).length, 3)
  })

  it('by ending after it was ready is removed, and replaced after a pause', () => {
    const story = standing(1)
    const [generation] = generations(ready(story))
    story.hears({ type: 'container-died', generation: String(generation), exitCode: 1 })
    assert.deepEqual(story.ordered(), ['remove-container'])
    story.obeys()
    assert.equal(ready(story).length, 0)
    story.passes(5_000).obeys()
    assert.equal(ready(story).length, 1)
    assert.equal(story.state.workspaces.size, 1)
  })
})

describe('a claim', () => {
  it('survives a crash at every step between record, rename and grant', () => {
    for (const renamed of [false, true]) {
      const story = standing(2)
      const reply = story.asks('ann')
      assert.equal(reply.status, 'granted')
      const again = restarted(story, 2, renamed)
      assert.equal(again.phase('ann'), 'ready')
      assert.equal(again.workspace('ann').container?.generation, reply.generation)
      assert.deepEqual(
        again.ordered().filter((type) => type === 'rename-container').length,
        renamed ? 0 : 1,
      )
      assert.equal(again.asks('ann').status, 'granted')
      again.obeys()
      assert.equal(ready(again).length, 2)
      assert.ok(!generations(ready(again)).includes(reply.generation))
    }
  })

  it('that was not recorded did not happen: the standby still has no owner', () => {
    const story = standing(1)
    const { recorded } = story
    const [before] = generations(ready(story))
    story.asks('ann')
    story.recorded = recorded
    const again = restarted(story, 1, false)
    assert.deepEqual(generations(ready(again)), [before])
    assert.equal(again.phase('ann'), 'absent')
  })

  it('whose record is lost after the rename leaves a container that no person gets', () => {
    const story = standing(1)
    const { recorded } = story
    const reply = story.asks('ann')
    assert.equal(reply.status, 'granted')
    story.recorded = { ...recorded, nextTicket: 1 }
    const again = restarted(story, 1, true)
    again.asks('bob')
    assert.notEqual(again.workspace('bob').container?.generation, reply.generation)
    again.passes(30_000).obeys()
    const left = [...again.state.workspaces.values()]
    assert.ok(left.every(({ container }) => container?.generation !== reply.generation))
  })

  it('holds although the name is taken: the rename is retried after a pause', () => {
    const story = standing(1)
    story.asks('ann')
    story.fails('rename-container')
    assert.equal(story.phase('ann'), 'ready')
    assert.equal(story.asks('ann').status, 'granted')
    story.obeys()
    assert.ok(!story.history.slice(-20).includes('stop-container'))
    story.passes(59_999)
    assert.ok(!story.ordered().includes('rename-container'))
    story.passes(1)
    assert.deepEqual(story.ordered(), ['rename-container'])
    story.obeys()
    assert.equal(story.workspace('ann').container?.name, nameOf('ann'))
  })

  it('is not undone by an inventory from before the rename or the claim', () => {
    const story = standing(1)
    const before = seenIn(story, false)
    const startedAt = story.now
    story.passes(10)
    const reply = story.asks('ann')
    assert.equal(reply.status, 'granted')
    const networks = [...story.state.networks.values()]
    story.looks({ startedAt, containers: before, networks })
    story.obeys()
    story.looks({ containers: before, networks, startedAt: story.now + 1 })
    assert.equal(story.workspace('ann').container?.generation, reply.generation)
    assert.equal(story.phase('ann'), 'ready')
    const holders = [...story.state.workspaces.values()].filter(
      ({ container }) => container?.generation === reply.generation,
    )
    assert.equal(holders.length, 1)
  })

  it('is not undone by a container of the person’s name that was created late: it is removed and the name becomes free', () => {
    const story = standing(1)
    const late = {
      workspace: nameOf('ann'),
      template: 'lab',
      kind: 'private',
      owner: person('ann'),
      container: { generation: 'late', spec: 'spec-1', status: 'created' },
    } as const
    const claimed = story.asks('ann')
    assert.equal(claimed.status, 'granted')
    story.fails('rename-container')
    story.passes(1_000)
    const networks = [...story.state.networks.values()]
    story.looks({ containers: [...seenIn(story, false), late], networks })
    assert.equal(story.workspace('ann').container?.generation, claimed.generation)
    assert.equal(story.asks('ann').status, 'granted')
    assert.deepEqual(removals(story), ['late'])
    story.obeys()
    story.passes(60_000).obeys()
    assert.equal(story.workspace('ann').container?.name, nameOf('ann'))
    assert.equal(story.workspace('ann').container?.generation, claimed.generation)

    const again = new Scenario(optionsWith(1), story.recorded)
    again.looks({ containers: [...seenIn(story, false), late], networks }).connects()
    assert.equal(again.workspace('ann').container?.generation, claimed.generation)
    assert.deepEqual(removals(again), ['late'])
  })

  it('of a standby that stopped later starts the same container again', () => {
    const story = standing(1)
    story.asks('ann')
    story.obeys()
    const own = story.workspace('ann').container?.generation
    story.passes(100_000).obeys()
    const again = restarted(story, 1, true)
    assert.equal(again.phase('ann'), 'stopped')
    again.asks('ann')
    again.obeys()
    assert.equal(again.workspace('ann').container?.generation, own)
  })
})
