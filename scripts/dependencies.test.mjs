// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isUpToDate } from './dependencies.mjs'

const wanted = {
  packages: {
    '': { version: '0.1.0' },
    shared: { version: '0.1.0' },
    'node_modules/@berth/shared': { link: true },
    'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' },
    'node_modules/only-elsewhere': { version: '1.0.0', integrity: 'sha512-b', optional: true },
  },
}

test('installs nothing when all packages of the lockfile are present', () => {
  const present = { packages: { 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' } } }
  assert.equal(isUpToDate(wanted, present), true)
})

test('installs when a package is missing or has another version or content', () => {
  assert.equal(isUpToDate(wanted, {}), false)
  for (const zod of [
    { version: '4.0.1', integrity: 'sha512-a' },
    { version: '4.0.0', integrity: 'sha512-c' },
  ]) {
    assert.equal(isUpToDate(wanted, { packages: { 'node_modules/zod': zod } }), false)
  }
})
