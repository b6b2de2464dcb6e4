import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loggingEnvironment } from './logging-environment.ts'

const requests = 'OAUTH2_PROXY_REQUEST_LOGGING_FORMAT'
const others = 'OAUTH2_PROXY_STANDARD_LOGGING_FORMAT'

// Proof 32 sees what a gateway writes by these formats.
describe('the environment of oauth2-proxy', () => {
  it('has formats of log lines without the URI of a request, and without whole requests', () => {
    const {
      [requests]: format = '',
      [others]: rest = '',
      OTHER,
    } = loggingEnvironment({ OTHER: 'kept' })
    assert.match(format, /\{\{\.RequestID\}\}.*\{\{\.StatusCode\}\}/)
    assert.doesNotMatch(format, /URI|\n/)
    assert.match(rest, /\{\{if .*"&\{"\)\}\}.*\{\{else\}\}\{\{\.Message\}\}\{\{end\}\}$/)
    assert.equal(OTHER, 'kept')
  })

  it('keeps a format that an administrator has set', () => {
    const own = { [requests]: 'own', [others]: 'own' }
    assert.deepEqual(loggingEnvironment(own), own)
  })
})
