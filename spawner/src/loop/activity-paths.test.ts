import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testTemplate } from '../templates/testing/test-template.ts'
import { createActivityPaths } from './activity-paths.ts'

describe('an activity path that tells nothing', () => {
  const told: object[] = []
  const paths = createActivityPaths({ log: { warn: (fields: object) => void told.push(fields) } })
  const lab = testTemplate('lab', { policy: { activityPath: '/busy' } })
  const wrong = { template: 'lab', path: '/busy', finding: 'status', status: 404 } as const

  it('is warned of once for a template', () => {
    paths.note(lab, { finding: 'status', status: 404 })
    paths.note(lab, { finding: 'status', status: 404 })
    assert.deepEqual(told, [wrong])
  })

  it('is warned of again when it meets something else, or after it told something', () => {
    paths.note(lab, { finding: 'not_json' })
    paths.note(lab, {})
    paths.note(lab, { finding: 'not_json' })
    const html = { template: 'lab', path: '/busy', finding: 'not_json', status: undefined }
    assert.deepEqual(told.slice(1), [html, html])
  })
})
