// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkPorts, portFailure } from './ports.mjs'

test('names the container that uses a port, and the variable that sets another port', () => {
  const failure = portFailure([
    { variable: 'BERTH_PORT', port: 4180, what: 'the gateway', holder: 'other-gateway-1' },
    { variable: 'IDP_PORT', port: 4191, what: 'the identity provider', holder: undefined },
  ])
  assert.equal(
    failure.message,
    'port 4180, for the gateway, is taken by the container other-gateway-1\n' +
      'port 4191, for the identity provider, is taken',
  )
  assert.equal(
    failure.help,
    'End the program that uses it, or choose another port: BERTH_PORT=5180 IDP_PORT=5191 npm start',
  )
})

test('suggests a lower port near the end of the range', () => {
  const { help } = portFailure([{ variable: 'BERTH_PORT', port: 65_000, what: 'the gateway' }])
  assert.match(help ?? '', /BERTH_PORT=64000/)
})

test('refuses one port for two services before it tries any', async () => {
  const wanted = ['BERTH_PORT', 'IDP_PORT'].map((variable) => ({
    variable,
    port: 4180,
    what: 'it',
  }))
  await assert.rejects(checkPorts(wanted, 'berth'), /BERTH_PORT and IDP_PORT name the same port/)
})
