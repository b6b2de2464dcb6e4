// @ts-check
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tellsOf } from './doctor-tells.mjs'

test('tells the secrets of the file, or those of the environment where it has some, and the ports', () => {
  const environmentFile = { path: '.env', mode: 0o600 }
  const settings = { port: 4180, idpPort: 4191 }
  const text =
    'INTERNAL_SECRET=one#1\nGATEWAY_SECRET="two"\nCONTAINER_IMAGE=x\nAPI_TOKEN_FILE=/run/t\n'
  const tells = tellsOf({ text, env: { GATEWAY_SECRET: 'three' }, environmentFile, settings })
  assert.deepEqual(tells.ports, { BERTH_PORT: '4180', IDP_PORT: '4191' })
  assert.deepEqual(tells.environmentFile, environmentFile)
  const set = Object.entries(tells.secrets).filter(([, value]) => value !== '')
  assert.deepEqual(Object.fromEntries(set), {
    INTERNAL_SECRET: 'one#1',
    GATEWAY_SECRET: 'three',
    API_TOKEN_FILE: '/run/t',
  })
})
