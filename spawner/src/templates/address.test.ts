import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { originOf, urlOf } from './address.ts'
import { testTemplate } from './testing/test-template.ts'

const site = 'https://berth.example.com:8443'

describe('the address of a template', () => {
  it('is the public URL, or its own host name with the scheme and port of the public URL', () => {
    for (const [route, publicUrl, origin] of [
      [{ hosts: [] }, site, site],
      [{ hosts: [], path: { prefix: '/lab', strip: true } }, site, site],
      [{ hosts: ['lab.example.com'] }, site, 'https://lab.example.com:8443'],
      [{ hosts: ['*.lab.example.com', 'lab.example.com'] }, site, 'https://lab.example.com:8443'],
      [{ hosts: ['lab.example.com'] }, 'http://localhost', 'http://lab.example.com'],
    ] as const)
      assert.equal(originOf({ kind: 'web', route }, publicUrl), origin)
  })

  it('is not known without a public URL, for any one label, and at the port of another gateway', () => {
    for (const [route, publicUrl] of [
      [{ hosts: ['lab.example.com'] }, undefined],
      [{ hosts: ['*.lab.example.com'] }, site],
      [{ hosts: [], listenPort: 8443 }, site],
    ] as const)
      assert.equal(originOf({ kind: 'web', route }, publicUrl), undefined)
  })

  it('is none for what is no website', () => {
    for (const kind of ['ssh', 'tcp'] as const)
      assert.equal(originOf({ kind, route: { hosts: [] } }, site), undefined)
  })

  it('has the path of the route', () => {
    const path = { prefix: '/lab', strip: false }
    assert.equal(urlOf(testTemplate('lab', { origin: site })), `${site}/`)
    assert.equal(
      urlOf(testTemplate('lab', { origin: site, route: { hosts: [], path } })),
      `${site}/lab/`,
    )
    assert.equal(urlOf(testTemplate('lab')), undefined)
  })
})
