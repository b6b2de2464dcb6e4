import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createConnector } from './connector.ts'

describe('a connection to a workspace', () => {
  it('hazard: goes to port 80 when undici leaves out the default port of http', async () => {
    const { promise, resolve } = Promise.withResolvers<Error | null>()
    const connect = createConnector(1_000)
    // No server listens on this address, so the error names the address that was tried.
    connect({ hostname: '127.5.7.9', port: '', protocol: 'http:' }, (...[failure]) =>
      resolve(failure),
    )
    const error = await promise
    assert.ok(error !== null && 'port' in error, String(error))
    assert.equal(error.port, 80)
  })
})
