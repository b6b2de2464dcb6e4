import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePrefix, type Prefix, type WorkspaceName } from '@berth/shared/names'
import type { Template } from '../../templates/template.ts'
import type { SeatReply } from '../domain.ts'
import {
  begun,
  configWith,
  director,
  nameOf,
  person,
  Scenario,
  templateWith,
  withReady,
} from '../testing/scenario.ts'

/** The spawner offers exactly these templates from now on. */
function offers(story: Scenario, ...templates: readonly Template[]): Scenario {
  const config = { ...story.state.config, templates: byName(templates) }
  story.hears({ type: 'config-changed', config })
  return story
}
const byName = (templates: readonly Template[]) =>
  new Map(templates.map((template) => [template.name, template]))
const codeOf = (reply: SeatReply) =>
  reply.status === 'refused' ? reply.failure.code : reply.status
const runningOf = ({ state }: Scenario) =>
  [...state.workspaces.values()].map(({ container }) => container?.generation)
const generationOf = (reply: SeatReply) =>
  reply.status === 'granted' ? reply.generation : undefined

const labx = parsePrefix('labx') as Prefix
const renamed = { ...templateWith(), name: 'jupyter' }
const moved = { ...templateWith(), prefix: labx }

describe('a change of settings under running workspaces', () => {
  it('ends nothing when limits are lower than what runs', () => {
    const story = withReady(['ann', 'bob'])
    const limits = { maxWorkspaces: 1, maxWorkspacesPerUser: 1, maxMemoryBytes: 1 }
    const config = { ...story.state.config, limits: { ...story.state.config.limits, ...limits } }
    story.hears({ type: 'config-changed', config })
    story.passes(1_000)
    assert.deepEqual(story.phases('ann', 'bob'), ['ready', 'ready'])
    assert.equal(story.asks('ann').status, 'granted')
    assert.ok(!story.history.some((type) => /^(stop|remove)-container$/.test(type)))
  })

  it('refuses a person who is no longer allowed, and ends the workspace only when it is idle', () => {
    const story = withReady(['ann'])
    offers(story, templateWith({ allowedUsers: ['zoe'] }))
    assert.equal(codeOf(story.asks('ann')), 'template_forbidden')
    assert.deepEqual(story.phases('ann'), ['ready'])
  })
})

describe('a template whose workspaces become shared, or private', () => {
  const changes = [
    [1, 2],
    [2, 1],
  ] as const
  for (const [before, after] of changes) {
    const [from, to] = after === 1 ? ['shared', 'private'] : ['private', 'shared']
    const changing = () => {
      const story = withReady(['ann'], { policy: { seats: before } })
      const [generation] = runningOf(story)
      offers(story, templateWith({ seats: after }))
      return { story, generation }
    }
    const kindOf = (story: Scenario, reply: SeatReply) =>
      reply.workspace && story.state.workspaces.get(reply.workspace)?.kind

    it(`leaves a ${from} workspace to the people who have it, and gives new people a ${to} one`, () => {
      const { story, generation } = changing()
      assert.equal(generationOf(story.asks('ann')), generation)
      assert.equal(kindOf(story, story.asks('bob')), to)
      story.obeys()
      assert.notEqual(generationOf(story.asks('bob')), generation)
      assert.equal(generationOf(story.asks('ann')), generation)
      assert.equal(story.asks('ann', { start: 'no' }).status, 'granted')
    })

    it(`gives them a ${to} workspace once the ${from} one has ended, whose container goes`, () => {
      const { story, generation } = changing()
      const former = story.asks('ann')
      assert.ok(former.workspace)
      story.hears({
        type: 'end-requested',
        workspace: former.workspace,
        how: 'stop',
      })
      assert.equal(kindOf(story, story.asks('ann')), to)
      story.obeys()
      assert.ok(!runningOf(story).includes(generation))
      const reply = story.asks('ann')
      assert.equal(reply.status, 'granted')
      assert.notEqual(generationOf(reply), generation)
    })

    it(`lets no person wait for a ${from} workspace any more`, () => {
      const limits = { maxWorkspaces: 1 }
      const story = withReady(['ann'], { policy: { seats: before }, limits })
      for (const who of ['bob', 'cid', 'dan']) story.asks(who)
      offers(story, templateWith({ seats: after }))
      for (const { phase, kind } of story.state.workspaces.values())
        assert.ok(phase !== 'queued' || kind === to)
      assert.equal(kindOf(story, story.asks('dan')), to)
    })

    it(`finds the ${from} workspace again after a restart`, () => {
      const { story, generation } = changing()
      const named = story.asks('ann').workspace as WorkspaceName
      const { name, kind, owner, container, network } = story.state.workspaces.get(named) ?? {}
      assert.ok(name && kind && container !== undefined && network !== undefined)
      const again = new Scenario({ policy: { seats: after } }, story.recorded)
      again.now = story.now + 61_000
      const containers = [{ workspace: name, template: 'lab', kind, owner, network, container }]
      again.looks({
        containers,
        networks: [{ index: network, egress: 'internet', attached: [director] }],
      })
      assert.equal(generationOf(again.connects().asks('ann')), generation)
    })
  }

  it('hazard: a workspace that was opened for everybody is nobody’s own', () => {
    const story = begun()
    const opened = story.hears({ type: 'open-requested', template: 'lab' }).reply
    assert.ok(opened)
    story.obeys()
    assert.equal(story.asks('ann', { workspace: opened }).status, 'granted')
    const own = story.asks('ann')
    assert.equal(own.workspace, nameOf('ann'))
    assert.equal(story.asks('ann', { workspace: opened }).status, 'granted')
  })
})

describe('a template that has a new name', () => {
  it('takes over the workspaces that run under its prefix, and their places stay counted', () => {
    const story = withReady(['ann'])
    const [generation] = runningOf(story)
    offers(story, renamed)
    const reply = story.asks('ann', { template: 'jupyter' })
    assert.equal(generationOf(reply), generation)
    assert.equal(story.workspace('ann').template, 'jupyter')
    assert.deepEqual(
      [...story.state.tally.byTemplate].map(([name, { places }]) => [name, places]),
      [
        ['lab', 0],
        ['jupyter', 1],
      ],
    )
  })

  it('takes them over at once, before anybody asks: they are counted and idle by its policy', () => {
    const story = withReady(['ann'], { policy: { maxWorkspaces: 1, idleStopMs: 60_000 } })
    const again = { ...templateWith({ maxWorkspaces: 1, idleStopMs: 3_600_000 }), name: 'jupyter' }
    offers(story, again)
    assert.equal(story.workspace('ann').template, 'jupyter')
    assert.equal(codeOf(story.asks('bob', { template: 'jupyter' })), 'waiting')
    story.obeys()
    assert.equal(story.phase('bob'), 'queued')
    story.passes(20 * 60_000)
    assert.equal(story.phase('ann'), 'ready')
  })

  it('keeps the containers that are stopped', () => {
    const story = withReady(['ann'])
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'stop' })
    story.obeys()
    const [generation] = runningOf(story)
    assert.ok(generation !== undefined)
    offers(story, renamed)
    story.obeys()
    assert.deepEqual(runningOf(story), [generation])
  })

  it('takes over shared workspaces, with the people who have a seat in them', () => {
    const shared = templateWith({ seats: 2 })
    const limits = { ...configWith().limits, maxWorkspaces: 1 }
    const story = begun({ config: { templates: byName([shared]), limits } })
    for (const who of ['ann', 'bob', 'cid']) story.asks(who)
    const seats = () =>
      [...story.state.workspaces.values()].map((workspace) => workspace.seats.length)
    assert.deepEqual(seats(), [2, 1])
    offers(story, { ...shared, name: 'jupyter' })
    assert.deepEqual(seats(), [2, 1])
    for (const who of ['ann', 'bob', 'cid']) story.asks(who, { template: 'jupyter' })
    assert.deepEqual(seats(), [2, 1])
  })

  it('leaves each person the latest of their seats when it has its former name and prefix again', () => {
    const shared = templateWith({ seats: 2 })
    const elsewhere = { ...shared, name: 'jupyter', prefix: labx }
    const story = begun({ config: { templates: byName([shared]) } })
    story.asks('ann')
    offers(story, elsewhere)
    story.asks('ann', { template: 'jupyter' })
    offers(story, { ...shared, name: 'jupyter' })
    const seats = [...story.state.workspaces.values()].map(({ name, seats }) => [
      name,
      seats.length,
    ])
    assert.deepEqual(seats, [
      ['lab-shared--2', 0],
      ['labx-shared--5', 1],
    ])
  })

  it('leaves a person who has two workspaces then the one that was used last', () => {
    const story = withReady(['ann'])
    offers(story, { ...renamed, prefix: labx })
    story.asks('ann', { template: 'jupyter' })
    story.obeys()
    const latest = story.asks('ann', { template: 'jupyter' })
    offers(story, renamed)
    assert.equal(generationOf(story.asks('ann', { template: 'jupyter' })), generationOf(latest))
  })

  it('keeps the queue position of the people who wait', () => {
    const story = withReady(['ann'], { limits: { maxWorkspaces: 1 } })
    story.asks('bob')
    story.asks('cid')
    offers(story, renamed)
    for (const who of ['cid', 'bob']) story.asks(who, { template: 'jupyter' })
    assert.deepEqual(story.state.queue, [nameOf('bob'), nameOf('cid')])
  })

  it('takes over its workspaces also after a restart, seats included', () => {
    const story = withReady(['ann'])
    offers(story, renamed).asks('ann', { template: 'jupyter' })
    const { container, network, served } = story.workspace('ann')
    assert.ok(container !== undefined && network !== undefined)
    const config = { templates: byName([renamed]) }
    const again = new Scenario({ config }, story.recorded)
    again.now = story.now + 61_000
    const made = { template: 'lab', kind: 'private', owner: person('ann') } as const
    again.looks({
      containers: [{ workspace: nameOf('ann'), ...made, network, container }],
      networks: [{ index: network, egress: 'internet', attached: [director] }],
    })
    assert.equal(again.workspace('ann').template, 'jupyter')
    assert.equal(again.workspace('ann').served, served)
    const reply = again.connects().asks('ann', { template: 'jupyter' })
    assert.equal(generationOf(reply), container.generation)
  })

  it('hazard: does not get the workspace that another template has under the former prefix', () => {
    const story = withReady(['ann'])
    const [generation] = runningOf(story)
    offers(story, moved, { ...templateWith(), name: 'other' })
    assert.equal(codeOf(story.asks('ann', { template: 'other' })), 'conflict')
    assert.equal(generationOf(story.asks('ann')), generation)
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'remove' })
    story.obeys()
    assert.equal(codeOf(story.asks('ann', { template: 'other' })), 'waiting')
  })
})

describe('a template that has a new prefix', () => {
  it('leaves each person the one workspace that they have, until that has ended', () => {
    const story = withReady(['ann'])
    const [generation] = runningOf(story)
    offers(story, moved)
    assert.equal(generationOf(story.asks('ann')), generation)
    assert.deepEqual(runningOf(story), [generation])
    story.hears({ type: 'end-requested', workspace: nameOf('ann'), how: 'remove' })
    story.obeys()
    const reply = story.asks('ann')
    assert.equal(reply.status === 'waiting' && reply.workspace, 'labx-ann')
  })

  it('leaves the people who wait in the queue', () => {
    const story = withReady(['ann'], { limits: { maxWorkspaces: 1, maxWorkspacesPerUser: 1 } })
    story.asks('bob')
    offers(story, moved)
    assert.equal(codeOf(story.asks('bob')), 'waiting')
    assert.deepEqual(story.state.queue, [nameOf('bob')])
  })
})

describe('a template that now allows other people', () => {
  it('renews no lease of a person who may not use it any more, and still renews the leases of the others', () => {
    const story = withReady(['ann', 'bob'])
    offers(story, templateWith({ allowedUsers: [person('bob').name] }))
    assert.deepEqual(story.reports('ann', 0), [])
    assert.equal(codeOf(story.asks('ann')), 'template_forbidden')
    assert.deepEqual(story.reports('bob', 0), [nameOf('bob')])
  })

  it('checks the groups that the last request named', () => {
    const story = withReady(['ann'], { policy: { allowedGroups: ['staff'] } })
    assert.deepEqual(story.reports('ann', 0), [nameOf('ann')])
    offers(story, templateWith({ allowedGroups: ['guests'] }))
    assert.deepEqual(story.reports('ann', 0), [])
  })
})

describe('a template that has a new image', () => {
  it('hazard: a container is made only from an image that was pulled', () => {
    const story = new Scenario({}).looks().connects()
    story.asks('ann')
    story.obeys('create-network')
    offers(story, templateWith({}, { image: 'berth/another' }))
    const pulled = { workspace: nameOf('ann'), image: 'berth/lab' }
    story.orders.length = 0
    story.hears({ type: 'image-present', ...pulled })
    assert.equal(story.phase('ann'), 'pulling')
    assert.deepEqual(story.ordered(), ['pull-image'])
    story.hears({ type: 'image-present', ...pulled, image: 'berth/another' })
    assert.equal(story.phase('ann'), 'creating')
  })
})
