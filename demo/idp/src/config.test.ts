import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SettingsError } from '@berth/shared/settings'
import { readConfig } from './config.ts'

const secret = { OAUTH2_PROXY_CLIENT_SECRET: 'a-secret-of-some-length' }
const noFile = (path: string): string => assert.fail(`read ${path}`)

test('derives the issuer and the redirect addresses from the two ports', () => {
  const config = readConfig({ ...secret, BERTH_PORT: '5000', IDP_PORT: '5001' }, noFile)
  assert.equal(config.issuer, 'http://idp.localhost:5001')
  assert.equal(config.publicUrl, 'http://localhost:5000')
  assert.deepEqual(config.gatewayOrigins, [
    'http://localhost:5000',
    'http://hello.localhost:5000',
    'http://portal.localhost:5000',
    'http://127.0.0.1:5000',
  ])
})

test('accepts a further address of the gateway as redirect address', () => {
  const config = readConfig(
    { ...secret, PUBLIC_URL: 'http://other.localhost:4180', PORTAL_URL: 'http://p.localhost:9' },
    noFile,
  )
  assert.ok(config.gatewayOrigins.includes('http://other.localhost:4180'))
  assert.ok(config.gatewayOrigins.includes('http://p.localhost:9'))
})

test('hazard: refuses to start with a PUBLIC_URL that others can reach', () => {
  for (const name of ['PUBLIC_URL', 'PORTAL_URL']) {
    assert.throws(
      () => readConfig({ ...secret, [name]: 'https://berth.example.com' }, noFile),
      (error) => error instanceof SettingsError && error.message.includes(`${name} "https://berth`),
    )
  }
})

test('refuses to start without a secret', () => {
  assert.throws(() => readConfig({}, noFile), /OAUTH2_PROXY_CLIENT_SECRET is not set/)
})

test('adds the people of IDP_PEOPLE to those of the demo', () => {
  const config = readConfig({ ...secret, IDP_PEOPLE: 'dora' }, noFile)
  assert.deepEqual(
    config.people.all.map((person) => person.name),
    ['alice', 'bob', 'carol', 'admin', 'dora'],
  )
})
