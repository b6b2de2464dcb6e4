import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { z } from 'zod'
import { startApi } from '../testing/api.ts'
import { describeApi } from './openapi.ts'
import { operationsFor } from './operations.ts'

interface Described {
  readonly operationId: string
  readonly parameters?: readonly { readonly name: string; readonly in: string }[]
  readonly responses: Readonly<Record<string, { readonly description: string }>>
}

const api = describeApi('1.2.3')
const paths = api['paths'] as Record<string, Record<string, Described>>
const { schemas } = api['components'] as { schemas: Record<string, Record<string, unknown>> }
const described = Object.entries(paths).flatMap(([path, methods]) =>
  Object.values(methods).map((operation) => ({ path, operation })),
)

describe('the description of /api/v1', () => {
  it('contains each operation once, with every parameter of its path', () => {
    const ids = described.map(({ operation }) => operation.operationId)
    assert.deepEqual(
      ids.toSorted(),
      operationsFor('scripts')
        .map(([id]) => id)
        .toSorted(),
    )
    for (const { path, operation } of described) {
      const inPath = (operation.parameters ?? []).filter((one) => one.in === 'path')
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      assert.deepEqual(
        inPath.map(({ name }) => name),
        wanted,
      )
    }
  })

  it('describes every answer', () => {
    for (const { operation } of described)
      for (const [status, { description }] of Object.entries(operation.responses)) {
        assert.match(status, /^[2-5]\d\d$/)
        assert.notEqual(description, '')
      }
  })

  it('says of each operation of the portal that another origin is refused, and who else', () => {
    const portal = describeApi('1.2.3', 'people')['paths'] as typeof paths
    for (const [path, methods] of Object.entries(portal))
      for (const { responses } of Object.values(methods)) {
        const isClosed = path.startsWith('/admin/')
        const codes = isClosed ? '`origin_refused`, `not_admin`' : '`origin_refused`'
        assert.ok(responses['403']?.description.startsWith(codes), path)
      }
  })

  it('contains every refusal of a start, by status and code', async () => {
    await using served = await startApi()
    const [lab] = served.config.templates.values()
    assert.ok(lab)
    const big = { ...lab, name: 'big', spec: { ...lab.spec, memoryBytes: 2e9 } }
    const limits = { ...served.config.limits, maxMemoryBytes: 1e9 }
    served.workspaces.reconfigure({ ...served.config, limits, templates: new Map([['big', big]]) })
    const start = described.find(({ operation }) => operation.operationId === 'startWorkspace')
    const ask = (type: string, body: string) =>
      served.ask('/api/v1/workspaces', { method: 'POST', body, headers: { 'content-type': type } })
    for (const [status, type, body] of [
      [503, 'application/json', '{"template":"big","user":"ann"}'],
      [404, 'application/json', '{"template":"lab","user":"ann"}'],
      [400, 'application/json', '{'],
      [413, 'application/json', `"${'x'.repeat(100_000)}"`],
      [415, 'text/plain', '{}'],
    ] as const) {
      const answer = await ask(type, body)
      assert.equal(answer.status, status, answer.text)
      const { code } = JSON.parse(answer.text) as { code: string }
      const { description = '' } = start?.operation.responses[status] ?? {}
      assert.ok(description.includes(`\`${code}\``), `${status} ${code}: ${description}`)
    }
  })

  it('contains every schema that it refers to', () => {
    const text = JSON.stringify(api)
    assert.doesNotMatch(text, /\$defs|\$schema|"id":"[A-Z]/)
    const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)]
    assert.ok(references.length > 10)
    for (const [, name = ''] of references) assert.ok(Object.hasOwn(schemas, name), name)
    assert.equal(references.length, text.split('"$ref"').length - 1)
  })

  it('has schemas that accept the same values as the zod schemas', () => {
    const Start = z.fromJSONSchema(schemas['Start'] ?? {})
    assert.ok(Start.safeParse({ template: 'lab', user: 'ann', groups: ['a'] }).success)
    assert.ok(!Start.safeParse({ template: 'lab', user: 'ann', more: 1 }).success)
    assert.ok(!Start.safeParse({ user: 'ann' }).success)
  })
})
