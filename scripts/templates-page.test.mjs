// @ts-check
// The examples in the documentation are valid, and that of docs/templates.md shows every key of the schema.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTemplatesFile } from '../spawner/src/templates/read-templates-file.ts'

const docs = join(import.meta.dirname, '../docs')
const page = await readFile(join(docs, 'templates.md'), 'utf8')
const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []

const context = {
  instance: 'berth',
  maxMemoryBytes: 64 * 1024 ** 3,
  publicUrl: 'https://berth.example.com',
  bindsAllowed: ['/srv'],
  hosts: { public: 'berth.example.com', portal: 'portal.berth.example.com' },
  beside: [],
  variables: () => ({ value: undefined }),
  readBeside: () => 'A=b',
}

test('the example is a file without problems', () => {
  const result = readTemplatesFile(example, context)
  assert.deepEqual('problems' in result ? result.problems : [], [])
  assert.ok('templates' in result)
  assert.equal(result.templates.length, 8)
})

test('the examples of docs/set-up.md are files without problems', async () => {
  const setUp = await readFile(join(docs, 'set-up.md'), 'utf8')
  const examples = [...setUp.matchAll(/```yaml\n(templates:[^]*?)```/g)].map(
    ([, text = '']) => text,
  )
  assert.equal(examples.length, 1)
  for (const text of examples) {
    const result = readTemplatesFile(text, context)
    assert.deepEqual('problems' in result ? result.problems : [], [])
  }
})

test('the example shows every key there is', async () => {
  const { properties } = JSON.parse(await readFile(join(docs, 'templates.schema.json'), 'utf8'))
  for (const key of Object.keys(properties.templates.additionalProperties.properties))
    assert.match(example, new RegExp(`^ +${key}:`, 'm'), key)
})
