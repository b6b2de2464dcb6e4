// @ts-check
// The spawner refuses variables that look like settings and are none, so it has to know the names of all of them.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { gatewayOptionNames, otherSettingNames } from '@berth/shared/setting-names'
import { furtherVariables } from './configuration-sections.ts'

test('the list of further settings has each that the reference names', () => {
  const named = furtherVariables
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('OAUTH2_PROXY_') && !name.includes('<'))
  assert.deepEqual(
    named.filter((name) => !otherSettingNames.includes(name)),
    [],
  )
})

test('the list of options of oauth2-proxy has each that the compose file passes on', async () => {
  const read = (/** @type {string} */ name) =>
    readFile(join(import.meta.dirname, '..', name), 'utf8')
  const text = `${await read('gateway-options.env')}\n${await read('docker-compose.yml')}`
  const passed = [...text.matchAll(/^ *(OAUTH2_PROXY_[A-Z0-9_]+)(?=:|$)/gm)].map(([, name]) => name)
  assert.ok(passed.length > 150, 'the options are not found')
  assert.deepEqual(
    passed.filter((name) => name !== undefined && !gatewayOptionNames.includes(name)),
    [],
  )
})
