// @ts-check
// The pages that describe the code name files, folders and functions that exist: a rename that forgets them fails here.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const pages = ['docs/architecture.md', 'CONTRIBUTING.md']
const topLevel = new Set(readdirSync(root))

/** @param {string} page */
const linesOf = (page) => readFileSync(join(root, page), 'utf8').split('\n')

/** @param {string} line */
const quotedIn = (line) => [...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

/**
 * What begins with a folder of the repository, or is a file at its top: `docs/api.md`, `scripts/*.test.mjs`.
 * @param {string} line
 */
const pathsIn = (line) =>
  quotedIn(line).filter((text) => {
    if (!/^[\w.@/-]+$/.test(text)) return false
    const [first = '', ...rest] = text.split('/')
    if (rest.length === 0) return /^[\w.-]+\.(md|yml|json|js)$/.test(text) && topLevel.has(text)
    return topLevel.has(first)
  })

/** @param {string} line names such as `decide()` */
const functionsIn = (line) =>
  quotedIn(line).flatMap((text) => {
    const name = /^([A-Za-z_$][\w$]*)\(\)$/.exec(text)?.[1]
    return name === undefined ? [] : [name]
  })

/** @param {string} path */
const textOf = (path) => {
  const file = join(root, path)
  return existsSync(file) && /\.(ts|mjs|js)$/.test(path) ? readFileSync(file, 'utf8') : ''
}

for (const page of pages) {
  test(`${page} names files and folders that exist`, () => {
    const named = new Set(linesOf(page).flatMap(pathsIn))
    assert.ok(named.size > 5, 'the page names hardly any file')
    assert.deepEqual(
      [...named].filter((path) => !existsSync(join(root, path))),
      [],
    )
  })

  test(`${page} names functions beside the file that has them`, () => {
    const lost = linesOf(page).flatMap((line) => {
      const sources = pathsIn(line).map(textOf)
      return functionsIn(line).filter(
        (name) => !sources.some((source) => new RegExp(`\\b${name}\\b`).test(source)),
      )
    })
    assert.deepEqual(lost, [])
  })
}

test('the pages link to files that exist', () => {
  const all = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...markdownBelow('docs')]
  const dead = all.flatMap((page) =>
    [...readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)]
      .map(([, link = '']) => join(page, '..', link))
      .filter((path) => !existsSync(join(root, path)))
      .map((path) => `${page}: ${path}`),
  )
  assert.deepEqual(dead, [])
})

/** @param {string} folder */
function markdownBelow(folder) {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name))
}

test('the map in CONTRIBUTING.md names every folder of the source', () => {
  const named = new Set(linesOf('CONTRIBUTING.md').flatMap(pathsIn))
  const services = ['director/src', 'spawner/src', 'shared/src']
  const folders = [...services, 'demo', 'e2e'].flatMap((top) =>
    readdirSync(join(root, top), { withFileTypes: true, recursive: services.includes(top) })
      .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
      .map((entry) => join(relative(root, entry.parentPath), entry.name)),
  )
  const isNamed = (/** @type {string} */ folder) =>
    named.has(folder) ||
    named.has(`${folder}/`) ||
    /\/(testing|contract|assets|views)$/.test(folder)
  assert.deepEqual(
    folders.filter((folder) => !isNamed(folder)),
    [],
  )
})
