// @ts-check
// What `.env.example` and the guide recommend for JupyterLab: an open tab does not count as use, and saving always works.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import { createIsBackground } from '../director/src/routing/background-requests.ts'

/** @param {string} name */
const read = (name) => readFile(join(import.meta.dirname, '..', name), 'utf8')

const fromExample = (
  parseEnv(await read('.env.example'))['CONTAINER_BACKGROUND_REQUESTS'] ?? ''
).split(',')
const fromGuide = [
  ...(await read('docs/templates.md')).matchAll(/^ {6}- ((?:GET|PUT) \/.*)$/gm),
].map(([, pattern]) => pattern ?? '')

for (const [where, patterns] of Object.entries({ fromExample, fromGuide })) {
  const isBackground = createIsBackground(patterns)

  test(`${where}: what an untouched tab sends is background`, () => {
    for (const target of [
      '/api/kernels?1764240000000',
      '/api/sessions',
      '/api/terminals',
      '/api/kernelspecs',
      '/api/me',
      '/api/contents?content=1',
    ])
      assert.ok(isBackground('GET', target, 0), target)
    assert.ok(isBackground('PUT', '/lab/api/workspaces/default', 0))
  })

  test(`${where}: no access to a file is background, for that would not wake a frozen workspace`, () => {
    for (const target of [
      '/api/contents/a.ipynb?content=0',
      '/api/contents/x/y.txt',
      '/files/a.csv',
    ])
      for (const method of ['GET', 'PUT', 'PATCH', 'POST', 'DELETE'])
        assert.ok(!isBackground(method, target, 0), `${method} ${target}`)
  })
}
