// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Failure } from './failure.mjs'
import { readSettings } from './settings.mjs'

/**
 * @param {Record<string, string>} file
 * @param {Record<string, string>} [env]
 */
const read = (file, env = {}) => readSettings({ environmentFile: '/x/.env', file, env })

test('nothing set means the demo as it is documented', () => {
  const { instance, port, idpPort, gateway, mayInstallEngine } = read({})
  assert.deepEqual(
    { instance, port, idpPort, gateway, mayInstallEngine },
    { instance: 'berth', port: 4180, idpPort: 4191, gateway: undefined, mayInstallEngine: true },
  )
})

test('the environment wins over the file, and an empty variable is none', () => {
  assert.equal(read({ BERTH_PORT: '5000' }, { BERTH_PORT: '6000' }).port, 6000)
  assert.equal(read({ BERTH_PORT: '5000' }, { BERTH_PORT: '' }).port, 5000)
})

test('the API for scripts is published where there is a token for it, and only there', () => {
  assert.equal(read({ API_PORT: '9000' }).apiPort, undefined)
  assert.equal(read({ API_TOKEN: 'a token' }).apiPort, 8082)
  assert.equal(read({ API_PORT: '9000' }, { API_TOKEN_FILE: '/run/token' }).apiPort, 9000)
})

test('BERTH_INSTALL_ENGINE=0 forbids installing', () => {
  assert.equal(read({}, { BERTH_INSTALL_ENGINE: '0' }).mayInstallEngine, false)
})

test('an engine of somebody’s choice is known as such', () => {
  assert.equal(read({}, { DOCKER_HOST: 'ssh://elsewhere' }).engineChosenElsewhere, true)
  assert.equal(read({}).engineChosenElsewhere, false)
})

for (const [name, value] of [
  ['BERTH_PORT', '0'],
  ['BERTH_PORT', '65536'],
  ['IDP_PORT', '4191x'],
  ['INSTANCE', 'Berth'],
  ['INSTANCE', '-x'],
  ['GATEWAY', 'nginx'],
]) {
  test(`${name}=${value} is refused by name`, () => {
    assert.throws(
      () => read({ [name ?? '']: value ?? '' }),
      (error) => error instanceof Failure && error.message.includes(`${name} "${value}"`),
    )
  })
}
