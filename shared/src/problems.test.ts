import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createProblem, isProblemCode, problemCodes, problemStatus } from './problems.ts'

describe('problems', () => {
  it('have a type under the portal, a title, and the status of their code', () => {
    const problem = createProblem('https://portal.example.com/', 'queue_full', 'Full.', {
      limit: 3,
    })
    assert.deepEqual(problem, {
      type: 'https://portal.example.com/problems/queue_full',
      code: 'queue_full',
      title: 'The queue is full',
      status: 503,
      detail: 'Full.',
      limit: 3,
    })
  })

  it('are errors of the client or of the server, never a success', () => {
    for (const code of problemCodes) assert.ok(problemStatus(code) >= 400, code)
  })

  it('have only their own codes, not the properties that objects inherit', () => {
    assert.ok(isProblemCode('starting'))
    for (const code of ['constructor', 'toString', '']) assert.ok(!isProblemCode(code), code)
  })
})
