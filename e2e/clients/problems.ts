// The problem details of a refusal.
import assert from 'node:assert/strict'
import type { Answer } from './http.ts'

export interface Problem {
  readonly type: string
  readonly code: string
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly position?: number
  readonly workspace?: string
}

/** Asserts that the answer is this problem, and returns its details. */
export async function expectProblem(
  answer: Answer,
  status: number,
  code: string,
): Promise<Problem> {
  const text = await answer.text()
  assert.equal(answer.status, status, text.slice(0, 500))
  assert.match(answer.headers['content-type'] ?? '', /^application\/problem\+json/)
  const problem = JSON.parse(text) as Problem
  assert.equal(problem.code, code, text)
  assert.equal(problem.status, status)
  assert.ok(problem.detail.length > 10, 'the detail is in plain words')
  assert.ok(problem.type.endsWith(`/problems/${code}`), problem.type)
  return problem
}
