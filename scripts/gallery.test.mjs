// @ts-check
// The gallery is whole: each folder has its image, its template and its notes, and the page names it. Needs no engine.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readTemplatesFile } from '../spawner/src/templates/read-templates-file.ts'
import { fileContext } from '../spawner/src/templates/testing/file-context.ts'
import { galleryFolders } from './demo-images.mjs'
import { applications } from '../e2e/gallery/applications.ts'

const root = join(import.meta.dirname, '..')
const folders = galleryFolders(root)
/** @param {string} path */
const read = (path) => readFileSync(join(root, path), 'utf8')

const context = fileContext({
  publicUrl: 'http://localhost:4180',
  hosts: { public: 'localhost', portal: undefined },
})

test('the gallery has at least ten applications, and each has a proof', () => {
  assert.ok(folders.length >= 10, folders.join())
  assert.deepEqual(applications.map(({ folder }) => folder).toSorted(), folders)
})

for (const folder of folders) {
  test(`gallery/${folder} has an image, notes and a row in docs/gallery.md`, () => {
    assert.match(read(`gallery/${folder}/Dockerfile`), /^FROM (node:24|debian:bookworm)/m)
    assert.match(read(`gallery/${folder}/Dockerfile`), /^USER person$/m)
    const notes = read(`gallery/${folder}/README.md`)
    for (const word of [/\*\*Frozen/, /\*\*Stopped/, /\*\*Opened again/]) assert.match(notes, word)
    assert.ok(read('docs/gallery.md').includes(`../gallery/${folder}/README.md`))
  })

  test(`gallery/${folder}/template.yml is read without a fault`, () => {
    const result = readTemplatesFile(read(`gallery/${folder}/template.yml`), context)
    assert.deepEqual('problems' in result ? result.problems : [], [])
    assert.ok('templates' in result)
    for (const { spec } of result.templates) {
      assert.equal(spec.image, `berth/gallery-${folder}`)
      assert.match(spec.user, /^1000:/, 'it runs as a normal user')
    }
  })
}

test('no two templates of the gallery share an address or a prefix: they can be offered together', () => {
  const bodies = folders.map(
    (folder) => read(`gallery/${folder}/template.yml`).split('\ntemplates:\n')[1],
  )
  const result = readTemplatesFile(`templates:\n${bodies.join('')}`, context)
  assert.deepEqual('problems' in result ? result.problems : [], [])
})

test('every folder in docs/gallery.md exists', () => {
  const linked = [...read('docs/gallery.md').matchAll(/\.\.\/gallery\/([\w-]+)\//g)].map(
    ([, name]) => name ?? '',
  )
  assert.deepEqual(
    linked.filter((name) => !existsSync(join(root, 'gallery', name))),
    [],
  )
})
