import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createCheckOrigin } from './check-origin.ts'

describe('an upgrade', () => {
  for (const [publicUrl, host, origin, allowed] of [
    [undefined, 'h', undefined, true],
    [undefined, 'h:4180', 'http://h:4180', true],
    [undefined, 'H:4180', 'https://h:4180', true],
    [undefined, 'h:443', 'https://h', true],
    [undefined, 'h:80', 'http://h', true],
    [undefined, 'h', 'http://h:8080', false],
    [undefined, 'h', 'http://evil', false],
    [undefined, 'h', 'http://h.evil', false],
    [undefined, 'h', 'http://evilh', false],
    [undefined, 'h', 'null', false],
    [undefined, 'h', '', false],
    [undefined, 'h', 'h', false],
    [undefined, 'h', 'ftp://h', false],
    [undefined, 'h', 'http://h/', false],
    ['https://berth.test', 'berth.test', 'https://berth.test', true],
    ['https://berth.test', 'berth.test:443', 'https://berth.test', true],
    ['https://berth.test', 'berth.test', 'http://berth.test', false],
    ['https://berth.test', 'berth.test', 'https://berth.test:8443', false],
    ['https://berth.test', 'other.berth.test', 'https://berth.test', false],
    ['https://berth.test', 'other.berth.test', 'https://other.berth.test', true],
    ['http://localhost:4180', 'hello.localhost:4180', 'http://hello.localhost:4180', true],
    ['http://localhost:4180', 'hello.localhost:4180', 'http://localhost:4180', false],
    ['http://localhost:4180', 'localhost:4180', undefined, true],
  ] as const)
    it(`to ${host} of ${publicUrl ?? 'no public URL'} from ${JSON.stringify(origin)} is ${allowed ? 'allowed' : 'refused'}`, () => {
      const rawHeaders = ['Host', host, ...(origin === undefined ? [] : ['oRiGiN', origin])]
      const refusal = createCheckOrigin(publicUrl)(rawHeaders)
      assert.equal(refusal?.code, allowed ? undefined : 'origin_refused')
    })

  it('with two origins is always refused', () => {
    const rawHeaders = ['Host', 'h', 'Origin', 'http://h', 'Origin', 'http://h']
    assert.equal(createCheckOrigin(undefined)(rawHeaders)?.code, 'origin_refused')
  })
})
