// @ts-check
// The example in the documentation of templates is valid, and shows every key of the schema.
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
  assert.equal(result.templates.length, 4)
})

test('the example shows every key there is', async () => {
  const { properties } = JSON.parse(await readFile(join(docs, 'templates.schema.json'), 'utf8'))
  for (const key of Object.keys(properties.templates.additionalProperties.properties))
    assert.match(example, new RegExp(`^ +${key}:`, 'm'), key)
})
