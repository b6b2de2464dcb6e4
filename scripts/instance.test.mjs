// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOrder, nothingOf } from './instance.mjs'
import { toBeRemoved } from './test-instance.mjs'

test('stops the spawner first, so that it restores nothing, and workspaces last', () => {
  const roles = ['', 'gateway', 'spawner', '', 'director']
  const order = inOrder(roles.map((role) => ({ id: role, name: role, role }))).map(
    ({ role }) => role,
  )
  assert.deepEqual(order, ['spawner', 'gateway', 'director', '', ''])
})

test('removes the instances of this test run and of runs that have ended, and no others', () => {
  const instances = [
    'berth',
    'berthtest',
    'berthtest-7',
    'berthtest-7-queue',
    'berthtest-70',
    'berthtest-8-a',
    'berthtest-9',
  ]
  const isAlive = (/** @type {number} */ pid) => pid === 9 || pid === 70
  assert.deepEqual(toBeRemoved(instances, { own: 'berthtest-7', isAlive }), [
    'berthtest-7',
    'berthtest-7-queue',
    'berthtest-8-a',
  ])
})

test('says which instances there are if there is nothing of the one that is named', () => {
  assert.match(
    nothingOf('bert', ['berth', 'a-test']),
    /nothing of the instance bert\. This engine has a-test, berth\./,
  )
  assert.match(nothingOf('berth', []), /This engine has no instance\./)
})
