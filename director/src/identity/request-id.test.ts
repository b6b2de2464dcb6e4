import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import { createIdentifyRequest } from './request-id.ts'

const secret = 'sixteen characters of it'
const proof = ['Berth-Gateway-Secret', secret]
const uuid = /^[0-9a-f-]{36}$/

describe('the id of a request at a director', () => {
  const identify = createIdentifyRequest(new Secret(secret))

  it('is the gateway’s, by either proof', () => {
    const basic = `Basic ${Buffer.from(`u:${secret}`).toString('base64')}`
    assert.equal(identify(['X-Request-Id', 'edge-1', ...proof]), 'edge-1')
    assert.equal(identify(['Authorization', basic, 'x-request-id', 'edge-1']), 'edge-1')
  })

  it('is made here if the gateway sends none', () => {
    const ids = [identify(proof), identify(proof)]
    for (const id of ids) assert.match(id, uuid)
    assert.notEqual(ids[0], ids[1])
  })

  it('hazard: is not the client’s, where nothing or not enough proves a gateway', () => {
    const ofClient = ['X-Request-Id', 'edge-1']
    for (const headers of [
      ofClient,
      [...ofClient, 'Berth-Gateway-Secret', 'another secret'],
      [...ofClient, ...proof, ...proof],
      [...ofClient, ...ofClient, ...proof],
      ['X-Request-Id', 'edge 1"', ...proof],
    ])
      assert.match(identify(headers), uuid, headers.join())
    assert.match(createIdentifyRequest(undefined)(ofClient), uuid)
  })
})
