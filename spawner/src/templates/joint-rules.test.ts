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

describe('two templates with the same volume of a person', () => {
  it('are refused if they run as different users, with the field to change', () => {
    const [complaint, ...more] = complaints({ home, user: '1000' }, { home, user: '33:33' })
    assert.equal(complaint?.field, 'home.volume')
    assert.match(complaint.message, /"one".*"two".*"\{instance\}-\{user\}-home".*1000 and 33/)
    assert.deepEqual(more, [])
  })

  it('are refused also if one of them has it under volumes', () => {
    const volumes = [mount(home.volume)]
    const [complaint] = complaints({ home, user: '1000' }, { volumes, user: '33' })
    assert.equal(complaint?.field, 'volumes')
  })

  it('are accepted if they run as the same user, in any notation', () => {
    assert.deepEqual(complaints({ home, user: '1000:100' }, { home, user: '01000' }), [])
  })

  it('are accepted if the second only reads it, or if each has its own volume', () => {
    const volumes = [mount(home.volume, true)]
    assert.deepEqual(complaints({ home, user: '1000' }, { volumes, user: '33' }), [])
    const own = { ...home, volume: '{workspace}-home' }
    assert.deepEqual(complaints({ home, user: '1000' }, { home: own, user: '33' }), [])
  })
})
