import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { credentialsFor, parseDockerConfiguration, registryOf } from './registry-credentials.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const found = (config: object, reference: string) => {
  const parsed = parseDockerConfiguration(JSON.stringify(config))
  assert.ok(parsed !== undefined)
  return credentialsFor(parsed, reference)
}

describe('the credentials of a registry', () => {
  it('are those of the registry that the reference names, or of Docker Hub', () => {
    assert.equal(registryOf('debian:12'), 'docker.io')
    assert.equal(registryOf('team/app'), 'docker.io')
    assert.equal(registryOf('index.docker.io/team/app'), 'docker.io')
    assert.equal(registryOf('localhost/app'), 'localhost')
    assert.equal(
      registryOf('Registry.example.com:5000/team/app@sha256:0'),
      'registry.example.com:5000',
    )
  })

  it('are read from auths, under a host or a URL, and a password may contain colons', () => {
    const auths = { 'https://r.example.com/v2/': { auth: base64('me:a:b') } }
    assert.deepEqual(found({ auths }, 'r.example.com/app'), {
      status: 'found',
      credentials: { serveraddress: 'r.example.com', username: 'me', password: 'a:b' },
    })
    assert.deepEqual(found({ auths }, 'other.example.com/app'), { status: 'none' })
    const hub = { 'https://index.docker.io/v1/': { auth: base64('me:pw') } }
    const told = found({ auths: hub }, 'team/app')
    assert.equal(told.status, 'found')
    assert.equal(told.credentials.serveraddress, 'https://index.docker.io/v1/')
  })

  it('may be a token', () => {
    const auths = { 'r.example.com': { auth: base64('me:'), identitytoken: 'token' } }
    assert.deepEqual(found({ auths }, 'r.example.com/app'), {
      status: 'found',
      credentials: { serveraddress: 'r.example.com', identitytoken: 'token' },
    })
  })

  it('are unavailable, with the reason, if a credential helper keeps them', () => {
    const helpers = found({ credHelpers: { 'r.example.com': 'pass' } }, 'r.example.com/app')
    assert.equal(helpers.status, 'unavailable')
    assert.match(helpers.why, /docker-credential-pass, which is not available here/)
    const store = found(
      { auths: { 'r.example.com': {} }, credsStore: 'desktop' },
      'r.example.com/a',
    )
    assert.equal(store.status, 'unavailable')
    assert.match(store.why, /docker-credential-desktop/)
    assert.equal(found({ credsStore: 'desktop' }, 'public.example.com/a').status, 'none')
  })

  it('are not read from a file that is not a Docker configuration', () => {
    for (const text of ['', '{', '[]', '{"auths": 3}', '{"auths": {"r": {"auth": 3}}}'])
      assert.equal(parseDockerConfiguration(text), undefined, text)
  })
})
