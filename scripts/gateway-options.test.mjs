// @ts-check
// The gateway gets its own settings and no others, so that a change of another service's leaves its connections open.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parse } from 'yaml'
import { directorSettings } from '@berth/shared/director-settings'
import { spawnerSettings } from '../spawner/src/settings.ts'

/** @param {string} name */
const read = (name) => readFile(join(import.meta.dirname, '..', name), 'utf8')
const { services } = parse(await read('docker-compose.yml'), { merge: true })
const lines = (await read('gateway-options.env'))
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))

test('gateway-options.env names options of oauth2-proxy, and gives none a value', () => {
  assert.ok(lines.length > 100)
  for (const line of lines) assert.match(line, /^OAUTH2_PROXY_[A-Z0-9_]+$/)
  assert.deepEqual(lines, [...new Set(lines)].sort())
})

test('the gateway gets no setting of ours; the director reads three of the gateway’s own', () => {
  assert.deepEqual(services.gateway.env_file, 'gateway-options.env')
  const own = new Set([...Object.keys(directorSettings), ...Object.keys(spawnerSettings)])
  const passed = [...lines, ...Object.keys(services.gateway.environment)]
  assert.deepEqual([...new Set(passed.filter((name) => own.has(name)))].sort(), [
    'OAUTH2_PROXY_CLIENT_ID',
    'OAUTH2_PROXY_COOKIE_NAME',
    'OAUTH2_PROXY_OIDC_ISSUER_URL',
  ])
})

test('the number of directors is a setting, so that the next `up` keeps it', () => {
  assert.equal(services.director.scale, '${DIRECTORS:-1}')
})
