import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { jointComplaints } from './joint-rules.ts'
import type { TemplateSpec } from './template.ts'
import { testTemplate } from './testing/test-template.ts'

const home = { path: '/home/me', volume: '{instance}-{user}-home' }
const mount = (source: string, readOnly = false) => ({
  kind: 'volume' as const,
  source,
  target: '/data',
  readOnly,
})

function complaints(one: Partial<TemplateSpec>, other: Partial<TemplateSpec>) {
  const templates = [
    testTemplate('one', { spec: one }),
    testTemplate('two', { spec: other, route: { hosts: ['two.org'] } }),
  ]
  return jointComplaints(templates, { public: undefined, portal: undefined })
}

describe('two templates with one volume of a person', () => {
  it('are refused where they run as different users, with the field to change', () => {
    const [complaint, ...more] = complaints({ home, user: '1000' }, { home, user: '33:33' })
    assert.equal(complaint?.field, 'home.volume')
    assert.match(complaint.message, /"one".*"two".*"\{instance\}-\{user\}-home".*1000 and 33/)
    assert.deepEqual(more, [])
  })

  it('are refused also where one of them has it as a further volume', () => {
    const volumes = [mount(home.volume)]
    const [complaint] = complaints({ home, user: '1000' }, { volumes, user: '33' })
    assert.equal(complaint?.field, 'volumes')
  })

  it('are fine as one user, in whatever way that is written', () => {
    assert.deepEqual(complaints({ home, user: '1000:100' }, { home, user: '01000' }), [])
  })

  it('are fine where the second only reads it, or each has a volume of its own', () => {
    const volumes = [mount(home.volume, true)]
    assert.deepEqual(complaints({ home, user: '1000' }, { volumes, user: '33' }), [])
    const own = { ...home, volume: '{workspace}-home' }
    assert.deepEqual(complaints({ home, user: '1000' }, { home: own, user: '33' }), [])
  })
})
