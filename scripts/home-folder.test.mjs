// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeFolder } from './home-folder.mjs'

test('the folder of the backups is taken out of the arguments, wherever it stands', () => {
  assert.deepEqual(takeFolder(['alice']), { folder: 'backups', rest: ['alice'] })
  const split = { folder: '/srv/b', rest: ['--all', '--replace'] }
  assert.deepEqual(takeFolder(['--all', '--folder', '/srv/b', '--replace']), split)
})
