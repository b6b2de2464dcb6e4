import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { guestOf } from '@berth/shared/guests'
import { workspaceName, type WorkspaceName } from '@berth/shared/names'
import type { Person } from '@berth/shared/contract'
import { begun, templateWith, user, type Scenario } from './testing/scenario.ts'

const guest = (id: string, origin = 'here'): Person => guestOf({ origin, id })
const { prefix } = templateWith()
const nameFor = ({ name }: Person): WorkspaceName => workspaceName(prefix, name)
const open = { policy: { allowsGuests: true } }

const codeFor = (story: Scenario, person: Person): string => {
  const reply = story.asks(person)
  return reply.status === 'refused' ? reply.failure.code : reply.status
}
const phaseFor = (story: Scenario, person: Person) =>
  story.state.workspaces.get(nameFor(person))?.phase

describe('guests', () => {
  it('have a workspace only of templates that allow guests', () => {
    assert.equal(codeFor(begun(), guest('one')), 'template_forbidden')
    assert.equal(codeFor(begun(open), guest('one')), 'waiting')
  })

  it('leave it to the other keys who of the signed-in people may', () => {
    const story = begun({ policy: { allowsGuests: true, allowedUsers: ['ann'] } })
    const bob = { name: user('bob'), subject: 'u-bob', groups: [] }
    assert.equal(codeFor(story, bob), 'template_forbidden')
    assert.equal(codeFor(story, { ...bob, name: user('ann') }), 'waiting')
    assert.equal(codeFor(story, guest('one')), 'waiting')
  })

  it('are refused when as many as may have a workspace', () => {
    const story = begun({ ...open, limits: { maxGuests: 2 } })
    for (const id of ['one', 'two']) assert.equal(codeFor(story, guest(id, id)), 'waiting')
    assert.equal(codeFor(story, guest('three', 'three')), 'limit_guests')
    assert.equal(codeFor(story, guest('one', 'one')), 'waiting')
    assert.equal(codeFor(story, { name: user('ann'), subject: 'u-ann', groups: [] }), 'waiting')
  })

  it('are counted by the address where they became guests', () => {
    const story = begun({ ...open, limits: { guestsPerAddress: 1 } })
    assert.equal(codeFor(story, guest('one')), 'waiting')
    assert.equal(codeFor(story, guest('two')), 'limit_guests_address')
    assert.equal(codeFor(story, guest('three', 'elsewhere')), 'waiting')
    assert.equal(codeFor(story, guest('one')), 'waiting')
  })

  it('are counted in workspaces that several of them share', () => {
    const story = begun({
      policy: { allowsGuests: true, seats: 10 },
      limits: { guestsPerAddress: 2 },
    })
    for (const id of ['one', 'two']) assert.equal(codeFor(story, guest(id)), 'waiting')
    assert.equal(codeFor(story, guest('three')), 'limit_guests_address')
  })

  it('leave nothing behind: the workspace is removed as soon as it is stopped', () => {
    const story = begun({ ...open, limits: { maxGuests: 1 } })
    const one = guest('one')
    story.asks(one)
    story.obeys()
    assert.equal(phaseFor(story, one), 'ready')
    story.passes(100_000).obeys()
    assert.equal(phaseFor(story, one), undefined)
    assert.equal(codeFor(story, guest('two')), 'waiting')
  })

  it('are gone once they have stopped their workspace, although they are still told of it', () => {
    const story = begun({ ...open, limits: { maxGuests: 1 } })
    const one = guest('one')
    const volume = `berth-${one.name}-home`
    const removed = (): readonly string[] =>
      story
        .looks({
          homes: [{ volume, user: one.name, mounted: false }],
          wallAt: 1e12 + story.now,
          containers: [],
        })
        .said.flatMap((step) => (step.type === 'remove-home' ? [step.volume] : []))
    story.asks(one)
    story.obeys()
    story.hears({ type: 'end-requested', workspace: nameFor(one), how: 'stop' })
    story.obeys()
    assert.equal(story.state.workspaces.get(nameFor(one))?.cancelledAt !== undefined, true)
    assert.equal(codeFor(story, guest('two')), 'waiting')
    removed()
    assert.deepEqual(removed(), [volume])
  })

  it('have their container removed when it ends by itself', () => {
    const story = begun(open)
    const one = guest('one')
    story.asks(one)
    story.obeys()
    const generation = story.state.workspaces.get(nameFor(one))?.container?.generation
    assert.ok(generation)
    story.hears({ type: 'container-died', generation, exitCode: 1 })
    story.obeys()
    assert.equal(phaseFor(story, one), undefined)
  })

  it('lose their home with their last workspace, whatever is kept of people', () => {
    const story = begun({ ...open, limits: { keepHomesMs: 0, keepHomesDryRun: true } })
    const one = guest('one')
    const volume = `berth-${one.name}-home`
    const looks = (mounted: boolean): readonly string[] =>
      story
        .looks({ homes: [{ volume, user: one.name, mounted }], wallAt: 1e12 + story.now })
        .said.flatMap((step) => (step.type === 'remove-home' ? [step.volume] : []))
    story.asks(one)
    story.obeys()
    assert.deepEqual(looks(true), [])
    story.passes(100_000).obeys()
    assert.deepEqual(looks(false), [volume])
  })

  it('are not the guest of the same name whose subject differs', () => {
    const story = begun(open)
    const one = guest('one')
    story.asks(one)
    assert.equal(codeFor(story, { ...one, subject: 'here.forged' }), 'identity_reused')
  })
})
