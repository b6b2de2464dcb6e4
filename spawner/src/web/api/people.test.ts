import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { startTestLoop, flush, userOf } from '../../loop/testing/test-loop.ts'
import { testTemplate } from '../../templates/testing/test-template.ts'
import { personNamed } from './people.ts'

const bare = testTemplate('lab')
const home = { path: '/home', volume: 'home-{user}' }
const homely = testTemplate('lab', { spec: { home } })
const { name: user } = userOf('ann')

describe('a person that the API names', () => {
  it('needs a subject only if the person is unknown and the template keeps files', async () => {
    await using loop = await startTestLoop()
    const state = loop.workspaces.state()
    assert.equal(personNamed(state, bare, { user })?.subject, '')
    assert.equal(personNamed(state, homely, { user }), undefined)
    assert.equal(personNamed(state, homely, { user, subject: 'u-ann' })?.subject, 'u-ann')
    const having = (source: string) => {
      const volume = { kind: 'volume', source, target: '/d', readOnly: false } as const
      return testTemplate('lab', { spec: { volumes: [volume] } })
    }
    for (const source of ['data-{user}', '{workspace}-data'])
      assert.equal(personNamed(state, having(source), { user }), undefined, source)
    assert.equal(personNamed(state, having('data-{{user}}'), { user })?.subject, '')
  })

  it('gets the known subject if Berth knows the person', async () => {
    await using loop = await startTestLoop()
    loop.workspaces.requestStart(userOf('ann'), 'lab')
    const state = loop.workspaces.state()
    assert.equal(personNamed(state, homely, { user })?.subject, 'u-ann')
    const subjects = new Map([[user, 'u-of-a-home']])
    assert.equal(personNamed({ ...state, subjects }, homely, { user })?.subject, 'u-of-a-home')
  })

  it('owns the workspace after the first sign-in, and another person of that name then does not', async () => {
    await using loop = await startTestLoop()
    loop.director()
    loop.workspaces.requestStart({ ...userOf('ann'), subject: '' }, 'lab')
    await flush()
    const granted = await loop.requestSeat('ann', { waitMs: 0 })
    assert.equal(granted.status, 'granted')
    const stranger = { ...userOf('ann'), subject: 'u-another' }
    const refused = await loop.requestSeat('ann', { waitMs: 0, user: stranger })
    assert.equal(refused.status === 'refused' && refused.failure.code, 'identity_reused')
  })
})
