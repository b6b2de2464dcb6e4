import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  isBuiltHere,
  notBuilt,
  notPulled,
  pullFailure,
  withoutCredentials,
} from './pull-failure.ts'

describe('the reason why a pull failed', () => {
  const cases: readonly [cause: string, words: RegExp][] = [
    [
      "pull access denied for nosuch, repository does not exist or may require 'docker login': denied",
      /does not exist, or its registry requires a sign-in/,
    ],
    ['manifest for debian:nosuch not found: manifest unknown: manifest unknown', /has no image/],
    ['unauthorized: authentication required', /refuses access/],
    ['no basic auth credentials', /refuses access/],
    [
      'Get "https://registry.invalid/v2/": dial tcp: lookup registry.invalid: no such host',
      /cannot be reached/,
    ],
    ['Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused', /reached/],
    ['Get "https://r/v2/": net/http: request canceled (Client.Timeout exceeded)', /reached/],
    ['tls: failed to verify certificate: x509: unknown authority', /cannot be reached/],
    ['toomanyrequests: You have reached your pull rate limit', /limits the number of pulls/],
    ['write /var/lib/docker/tmp/x: no space left on device', /disk of the engine is full/],
    ['something new', /could not be pulled\.$/],
  ]
  for (const [cause, words] of cases)
    it(`is recognized: ${cause.slice(0, 50)}`, () => {
      const { code, detail, cause: logged } = pullFailure('some/image:1', cause)
      assert.equal(logged, cause)
      assert.ok(!detail.includes(cause), 'people are not told what a registry or resolver says')
      assert.equal(code, 'image_missing')
      assert.match(detail, words)
      assert.ok(detail.includes('some/image:1'))
    })

  for (const [image, cause, words] of [
    [
      'registry.example/timeout-lab:1',
      'manifest for registry.example/timeout-lab:1 not found: manifest unknown: manifest unknown',
      /has no image/,
    ],
    [
      'registry.example/denied-app:20240314',
      'manifest for registry.example/denied-app:20240314 not found: manifest unknown',
      /has no image/,
    ],
    [
      'registry.example/unauthorized:403',
      'manifest for registry.example/unauthorized:403 not found: manifest unknown',
      /has no image/,
    ],
    [
      'unauthorized.example/lab:401',
      'Get "https://unauthorized.example/v2/": dial tcp: lookup unauthorized.example: no such host',
      /cannot be reached/,
    ],
    [
      'registry.example/eof:1',
      'Head "https://registry.example/v2/eof/manifests/1": no basic auth credentials',
      /refuses access/,
    ],
    [
      'registry.example/not-found:1',
      'Head "https://registry.example/v2/not-found/manifests/1": unauthorized: authentication required',
      /refuses access/,
    ],
    ['lab:1', 'something new about 20240314', /could not be pulled/],
  ] as const)
    it(`is not taken from the name of the image ${image}`, () => {
      assert.match(pullFailure(image, cause).detail, words)
    })

  for (const told of [
    pullFailure('r.example/lab:1', 'no basic auth credentials'),
    notPulled('r.example/lab:1', 'there was no progress for five minutes'),
  ])
    it(`says to people only that there were no credentials, and why in the log: ${told.detail}`, () => {
      const why =
        'The credentials for r.example are kept by docker-credential-pass, which is not available here.'
      const { code, detail, cause } = withoutCredentials(told, why)
      assert.equal(code, 'image_missing')
      assert.equal(detail, `${told.detail} The credentials for its registry could not be read.`)
      assert.ok(cause !== undefined)
      assert.ok(cause.includes(why) && cause.includes('REGISTRY_CONFIG'))
      assert.ok(cause.startsWith(told.cause ?? ''))
    })

  it('is, for an image that is never pulled, that it has not been built', () => {
    assert.ok(isBuiltHere('berth/lab') && !isBuiltHere('quay.io/berth/lab'))
    assert.match(notBuilt('berth/lab').detail, /berth\/lab has not been built/)
  })
})
