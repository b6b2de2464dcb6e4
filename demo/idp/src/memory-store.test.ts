import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createClock } from '@berth/shared/clock'
import { createMemoryStore } from './memory-store.ts'

function setUp(limit?: number) {
  let now = 0
  const clock = createClock(
    () => now,
    () => now,
  )
  return { store: createMemoryStore(clock, limit), pass: (ms: number) => (now += ms) }
}

test('finds an entry until it expires', async () => {
  const { store, pass } = setUp()
  const codes = store('AuthorizationCode')
  await codes.upsert('one', { grantId: 'g' }, 60)
  pass(59_999)
  assert.deepEqual(await codes.find('one'), { grantId: 'g' })
  pass(1)
  assert.equal(await codes.find('one'), undefined)
})

test('keeps models separate', async () => {
  const { store } = setUp()
  await store('AccessToken').upsert('one', {}, 60)
  assert.equal(await store('AuthorizationCode').find('one'), undefined)
})

test('finds a session by its uid until it is destroyed', async () => {
  const { store } = setUp()
  const sessions = store('Session')
  await sessions.upsert('id', { uid: 'uid' }, 60)
  assert.deepEqual(await sessions.findByUid('uid'), { uid: 'uid' })
  await sessions.destroy('id')
  assert.equal(await sessions.findByUid('uid'), undefined)
})

test('finds a session by its uid after its id changed', async () => {
  const { store } = setUp()
  const sessions = store('Session')
  await sessions.upsert('old', { uid: 'uid', jti: 'old' }, 60)
  await sessions.upsert('new', { uid: 'uid', jti: 'new' }, 60)
  await sessions.destroy('old')
  assert.equal((await sessions.findByUid('uid'))?.jti, 'new')
})

test('marks a used code', async () => {
  const { store, pass } = setUp()
  const codes = store('AuthorizationCode')
  await codes.upsert('one', {}, 60)
  pass(5_000)
  await codes.consume('one')
  assert.equal((await codes.find('one'))?.consumed, 5)
})

test('removes everything of a revoked grant, and nothing else', async () => {
  const { store } = setUp()
  await store('AccessToken').upsert('mine', { grantId: 'g' }, 60)
  await store('AccessToken').upsert('other', { grantId: 'h' }, 60)
  await store('AccessToken').revokeByGrantId('g')
  assert.equal(await store('AccessToken').find('mine'), undefined)
  assert.deepEqual(await store('AccessToken').find('other'), { grantId: 'h' })
})

test('beyond its limit, removes expired entries first and then the oldest', async () => {
  const { store, pass } = setUp(3)
  const tokens = store('AccessToken')
  await tokens.upsert('oldest', {}, 1_000)
  await tokens.upsert('brief', {}, 1)
  await tokens.upsert('younger', {}, 1_000)
  pass(2_000)
  await tokens.upsert('fourth', {}, 1_000)
  assert.ok(await tokens.find('oldest'))
  await tokens.upsert('fifth', {}, 1_000)
  assert.equal(await tokens.find('oldest'), undefined)
  assert.ok(await tokens.find('younger'))
})
