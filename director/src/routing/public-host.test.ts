import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createPublicHost } from './public-host.ts'

describe('the Host of a request, as the browser has it', () => {
  for (const [publicUrl, host, seen] of [
    ['https://berth.test:8443', 'berth.test', 'berth.test:8443'],
    ['https://berth.test:8443', 'lab.Berth.test:4180', 'lab.Berth.test:8443'],
    ['https://berth.test:8443', 'berth.test:8443', 'berth.test:8443'],
    ['https://berth.test', 'berth.test:443', 'berth.test'],
    ['https://berth.test', 'berth.test:4180', 'berth.test'],
    ['https://berth.test', 'berth.test', 'berth.test'],
    ['http://[::1]:4180', '[::1]', '[::1]:4180'],
    [undefined, 'berth.test:1', 'berth.test:1'],
    ['https://berth.test', undefined, undefined],
  ] as const)
    it(`is ${seen ?? 'none'} for ${host ?? 'none'} below ${publicUrl ?? 'no public URL'}`, () => {
      assert.equal(createPublicHost(publicUrl)(host), seen)
    })
})
