// @ts-check
// The docs name what exists: files, folders and functions, log lines, metrics, headings. A rename that forgets the docs
// fails here.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const decisions = readdirSync(join(root, 'docs/decisions')).map((name) => `docs/decisions/${name}`)
const pages = ['docs/architecture.md', 'CONTRIBUTING.md']
const topLevel = new Set(readdirSync(root))

/** @param {string} path */
const readText = (path) => readFileSync(join(root, path), 'utf8')
/** @param {string} page */
const linesOf = (page) => readText(page).split('\n')

/** @param {string} line */
const quotedIn = (line) => [...line.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text)

/**
 * What begins with a folder of the repository, or is a file at its top: `docs/api.md`, `README.md`.
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

const sources = ['gateway/src', 'director/src', 'spawner/src', 'shared/src', 'scripts'].flatMap(
  (top) =>
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.m?[jt]s$/.test(name) && !name.includes('.test.'))
      .map((name) => readText(join(top, name))),
)

test('the pages about the code name files and folders that exist', () => {
  const named = new Set([...pages, ...decisions].flatMap(linesOf).flatMap(pathsIn))
  assert.ok(named.size > 100, 'the pages name hardly any file')
  assert.deepEqual(
    [...named].filter((path) => !existsSync(join(root, path))),
    [],
  )
})

for (const page of pages) {
  test(`${page} names functions beside the file that has them`, () => {
    const lost = linesOf(page).flatMap((line) => {
      const sources = pathsIn(line).map(textOf)
      return functionsIn(line).filter(
        (name) => !sources.some((source) => new RegExp(`\\b${name}\\b`).test(source)),
      )
    })
    assert.deepEqual(lost, [])
  })

  test(`${page} names types, constants and fields that exist`, () => {
    const names = linesOf(page)
      .flatMap(quotedIn)
      .filter((text) => /^[A-Za-z]*[a-z][A-Z]\w*$/.test(text))
    assert.deepEqual(
      [...new Set(names)].filter((name) => !sources.some((source) => source.includes(name))),
      [],
    )
  })
}

test('the pages link to files and headings that exist', () => {
  const all = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...markdownBelow('docs')]
  const dead = all.flatMap((page) =>
    [...readText(page).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
      .filter(
        ([, link = '', heading]) => !isThere(link === '' ? page : join(page, '..', link), heading),
      )
      .map(([text]) => `${page}: ${text}`),
  )
  assert.deepEqual(dead, [])
})

/**
 * @param {string} path
 * @param {string | undefined} heading as a link names it
 */
function isThere(path, heading) {
  if (!existsSync(join(root, path))) return false
  if (heading === undefined) return true
  const headings = [...readText(path).matchAll(/^#+ (.*)$/gm)].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
  return headings.includes(heading)
}

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

/**
 * @param {string} page
 * @param {string} title of a section with a table
 */
const firstCellsOf = (page, title) => {
  const [, section = ''] = readText(page).split(`\n## ${title}\n`)
  const [rows = ''] = section.split('\n## ')
  return rows.split('\n').flatMap((row) => (row.startsWith('|') ? [row.split('|')[1] ?? ''] : []))
}

test('the docs explain log lines and metrics that are written', () => {
  const lines = firstCellsOf('docs/operations.md', 'What the log says')
    .flatMap(quotedIn)
    .filter((text) => text.includes(' '))
  const metrics = firstCellsOf('docs/monitoring.md', 'What the metrics say')
    .flatMap(quotedIn)
    .filter((text) => text.startsWith('berth_'))
  assert.ok(lines.length > 20 && metrics.length > 10, 'the tables are not found')
  const wanted = [...lines, ...metrics].map((text) =>
    text.replace(/( …|\{.*)$/, '').replace(/^workspace stopping$/, 'workspace ${phase}'),
  )
  assert.deepEqual(
    wanted.filter((text) => !sources.some((source) => source.includes(text))),
    [],
  )
})

test('operations.md says of each setting what a change does to what runs', () => {
  const [heading = '', ...cells] = firstCellsOf('docs/operations.md', 'Change settings')
  assert.match(heading, /what is changed/)
  const told = cells.flatMap(quotedIn).filter((text) => /^[A-Z][A-Z0-9_]*\*?$|^\*_/.test(text))
  const isTold = (/** @type {string} */ name) =>
    told.some(
      (text) =>
        text === name ||
        (text.endsWith('*') && name.startsWith(text.slice(0, -1))) ||
        (text.startsWith('*') && name.endsWith(text.slice(1))),
    )
  const page = readText('docs/configuration.md')
  const [settings = '', demo = ''] = page.split('\n## The demo only\n')
  assert.notEqual(demo, '')
  const names = [...settings.matchAll(/^\| `([A-Z][A-Z0-9_]*)/gm)].map(([, name = '']) => name)
  assert.ok(names.length > 80, 'the settings are not found')
  assert.deepEqual(
    names.filter((name) => !isTold(name)),
    [],
  )
})
