import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { loggingEnvironment } from './logging-environment.ts'

const name = 'OAUTH2_PROXY_REQUEST_LOGGING_FORMAT'

describe('the environment of oauth2-proxy', () => {
  it('has a format of log lines without the URI of a request, which may have a token', () => {
    const { [name]: format = '', OTHER } = loggingEnvironment({ OTHER: 'kept' })
    assert.match(format, /\{\{\.RequestID\}\}.*\{\{\.StatusCode\}\}/)
    assert.doesNotMatch(format, /URI|\n/)
    assert.equal(OTHER, 'kept')
  })

  it('keeps a format that an administrator has set', () => {
    assert.deepEqual(loggingEnvironment({ [name]: 'own' }), { [name]: 'own' })
  })
})
