import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import { createProve } from './prove-gateway.ts'

const prove = createProve(new Secret('the secret'))
const own = ['Berth-Gateway-Secret', 'the secret']
const basic = (password: string) => [
  'Authorization',
  `Basic ${Buffer.from(`u-alice:${password}`).toString('base64')}`,
]

describe('how the gateway proves itself', () => {
  it('hazard: recognises the Authorization as the gateway’s when both headers carry the secret', () => {
    assert.equal(prove([...own, ...basic('the secret')]), 'basic')
    assert.equal(prove([...basic('the secret'), ...own]), 'basic')
  })

  it('keeps an application’s own Authorization beside the header', () => {
    assert.equal(prove([...own, ...basic('something of the application')]), 'header')
    assert.equal(prove([...own, 'Authorization', 'Bearer token']), 'header')
  })

  it('trusts neither header if the gateway’s own is wrong', () => {
    assert.equal(prove(['Berth-Gateway-Secret', 'guessed', ...basic('the secret')]), undefined)
  })
})
