import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { entranceOf } from './container-state.ts'

describe('the labels of a container that tell where its application listens', () => {
  it('have its port and scheme', () => {
    const https = { port: 8443, scheme: 'https' }
    assert.deepEqual(entranceOf({ 'berth.port': '8443', 'berth.scheme': 'https' }), https)
    assert.deepEqual(entranceOf({ 'berth.port': '80' }), { port: 80, scheme: 'http' })
  })

  it('tell nothing if they are absent or hold no port', () => {
    for (const port of ['', '0', '65536', '80.5', 'http'])
      assert.deepEqual(entranceOf({ 'berth.port': port, 'berth.scheme': 'https' }), {})
    assert.deepEqual(entranceOf({}), {})
  })
})
