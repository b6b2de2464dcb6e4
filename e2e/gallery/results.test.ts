// The table of results in the documentation. Needs no engine.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { claims, rowOf, withRow, type Claim } from './results.ts'

const described = { title: 'Harbour', folder: 'harbour', remarks: ['no files'] }
const all = new Map(claims.map((claim): [Claim, boolean] => [claim, true]))
const without = (...left: Claim[]): Map<Claim, boolean> =>
  new Map([...all].filter(([claim]) => !left.includes(claim)))

/** The cells after those with the name, the version and the day. */
const cellsOf = (row: string): string[] =>
  row
    .split('|')
    .slice(4, -1)
    .map((cell) => cell.trim())

describe('a row of the gallery', () => {
  it('says yes where everything held, and names the ways back', () => {
    const row = rowOf(described, { version: '1.2', day: '2026-11-27', host: all, path: all })
    assert.deepEqual(cellsOf(row), [
      'yes',
      'yes',
      'yes',
      'click, typing, reload',
      'yes',
      'click, typing, reload',
      'yes',
      'no files',
    ])
    assert.match(
      row,
      /^\| \[Harbour\]\(\.\.\/gallery\/harbour\/README\.md\) \| 1\.2 \| 2026-11-27 \|/,
    )
  })

  it('names what did not hold, and the way in which it did not', () => {
    const failed = new Map(all).set('saves', false).set('click after a freeze', false)
    const cells = cellsOf(
      rowOf(described, { version: '1', day: '2026-11-27', host: all, path: failed }),
    )
    assert.equal(cells[0], 'yes')
    assert.equal(cells[1], '**no:** saves, click after a freeze')
    assert.equal(cells[3], 'typing, reload')
  })

  it('has a dash for what was left out', () => {
    const host = without('files', 'click after a stop', 'typing after a stop')
    const cells = cellsOf(
      rowOf(described, { version: '1', day: '2026-11-27', host, path: undefined }),
    )
    assert.deepEqual(cells.slice(0, 2), ['yes', '–'])
    assert.deepEqual(cells.slice(5, 7), ['reload', '–'])
  })

  it('says in bold that nothing brings the person back', () => {
    const host = new Map(all)
    for (const gesture of ['click', 'typing', 'reload'] as const)
      host.set(`${gesture} after a stop`, false)
    assert.equal(
      cellsOf(rowOf(described, { version: '1', day: '2026-11-27', host, path: undefined }))[5],
      '**nothing**',
    )
  })
})

describe('the table of the gallery', () => {
  const page = (rows: string): string =>
    `# Gallery\n\n<!-- results: written by npm run gallery -->\n\n${rows}<!-- end of results -->\n\nEnd.\n`

  it('replaces the row of one application, keeps the others, and sorts them', () => {
    const first = withRow(page(''), 'Last run: 2026-11-26.', 'Pier', '| [Pier](p) | 1 |')
    const second = withRow(first, 'Last run: 2026-11-27.', 'Anchor', '| [Anchor](a) | 1 |')
    const third = withRow(second, 'Last run: 2026-11-28.', 'Pier', '| [Pier](p) | 2 |')
    assert.deepEqual(
      third.split('\n').filter((line) => line.startsWith('| [')),
      ['| [Anchor](a) | 1 |', '| [Pier](p) | 2 |'],
    )
    assert.deepEqual(third.match(/Last run: .*/g), ['Last run: 2026-11-28.'])
    assert.ok(third.startsWith('# Gallery\n') && third.endsWith('\nEnd.\n'))
  })

  it('rejects a page without a place for the table', () => {
    assert.throws(() => withRow('# Gallery\n', '', 'Pier', '| [Pier](p) |'), /no place/)
  })
})
