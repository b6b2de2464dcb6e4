import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { entryTypes, outcomes, startKinds, type Entry } from '../history/entry.ts'
import type { Cursor, HistoryFile, HistoryFilter, StoredEntry } from '../history/history-store.ts'
import { figureStatements, quantilesOf } from './history-figures.ts'
import { openHistoryFile, pageStatement, removeHistoryFile } from './history-file.ts'
import { StoreError } from './store-error.ts'
import { entriesFor, firstAt } from '../history/testing/entries.ts'

const root = mkdtempSync(join(tmpdir(), 'berth-history-'))
after(() => rmSync(root, { recursive: true }))
let folders = 0
const folder = (): string => join(root, String(++folders))

function withoutId(stored: StoredEntry): Entry {
  const { id, ...entry } = stored
  assert.ok(id > 0)
  return entry
}
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

/** All pages, one after the other. */
function all(file: HistoryFile, filter: HistoryFilter = {}, limit = 100): readonly StoredEntry[] {
  const found: StoredEntry[] = []
  let from: Cursor | undefined
  do {
    const { entries, next } = file.page({ ...filter, after: from, limit })
    assert.ok(entries.length <= limit)
    found.push(...entries)
    from = next
  } while (from !== undefined)
  return found
}

const anyText = fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined })
const anyMs = fc.option(fc.nat(), { nil: undefined })
const anyEntry: fc.Arbitrary<Entry> = fc.record(
  {
    at: fc.nat({ max: 20 }),
    type: fc.constantFrom(...entryTypes),
    person: anyText,
    template: anyText,
    workspace: anyText,
    start: fc.option(fc.constantFrom(...startKinds), { nil: undefined }),
    outcome: fc.option(fc.constantFrom(...outcomes), { nil: undefined }),
    reason: anyText,
    detail: anyText,
    waitedMs: anyMs,
    tookMs: anyMs,
    ranMs: anyMs,
    steps: fc.option(fc.dictionary(fc.string(), fc.nat(), { noNullPrototype: true }), {
      nil: undefined,
    }),
    exitCode: anyMs,
    limit: anyMs,
    target: anyText,
  },
  { noNullPrototype: true },
)

describe('the file of the history', () => {
  it('gives back after a restart exactly what was appended, the latest first, on pages of any size', () => {
    fc.assert(
      fc.property(
        fc.array(anyEntry, { maxLength: 30 }),
        fc.integer({ min: 1, max: 7 }),
        (entries, limit) => {
          const dir = folder()
          {
            using file = openHistoryFile(dir)
            for (const entry of entries) file.append({ entries: [entry], samples: [] })
          }
          using file = openHistoryFile(dir)
          const expected = entries
            .map((entry, at) => ({ entry, at }))
            .sort((a, b) => b.entry.at - a.entry.at || b.at - a.at)
            .map(({ entry }) => plain(entry))
          assert.deepEqual(all(file, {}, limit).map(withoutId), expected)
        },
      ),
      { numRuns: 60 },
    )
  })

  it('gives no entry twice or not at all when new ones come between two pages', () => {
    using file = openHistoryFile(folder())
    file.append({ entries: entriesFor(30), samples: [] })
    const first = file.page({ limit: 10 })
    file.append({ entries: entriesFor(5, 30), samples: [] })
    const second = file.page({ limit: 10, after: first.next })
    const shown = [...first.entries, ...second.entries].map(({ at }) => (at - firstAt) / 1_000)
    assert.deepEqual(
      shown,
      Array.from({ length: 20 }, (_, at) => 29 - at),
    )
  })

  it('filters by each field, by time and by a part of a word', () => {
    using file = openHistoryFile(folder())
    const entries = entriesFor(400)
    file.append({ entries, samples: [] })
    const filters: readonly [HistoryFilter, (entry: Entry) => boolean][] = [
      [{ person: 'p7' }, ({ person }) => person === 'p7'],
      [{ template: 't3' }, ({ template }) => template === 't3'],
      [{ type: 'refusal' }, ({ type }) => type === 'refusal'],
      [{ start: 'frozen' }, ({ start }) => start === 'frozen'],
      [{ outcome: 'failed' }, ({ outcome }) => outcome === 'failed'],
      [
        { from: firstAt + 9_000, to: firstAt + 12_000 },
        ({ at }) => at >= firstAt + 9_000 && at < firstAt + 12_000,
      ],
      [{ search: 'T3-P1' }, ({ workspace }) => workspace?.startsWith('t3-p1') === true],
      [{ search: '%' }, () => false],
      [
        { person: 'p8', type: 'start', template: 't1' },
        ({ person, type, template }) => person === 'p8' && type === 'start' && template === 't1',
      ],
    ]
    for (const [filter, fits] of filters)
      assert.deepEqual(
        all(file, filter).map(withoutId),
        plain(entries.filter(fits)).reverse(),
        JSON.stringify(filter),
      )
  })

  it('answers every page and every figure by an index, and sorts nothing', () => {
    const dir = folder()
    using file = openHistoryFile(dir)
    file.append({ entries: entriesFor(2_000), samples: [] })
    using database = new DatabaseSync(join(dir, 'history.db'))
    database.exec('ANALYZE')
    const planOf = (text: string, count: number) =>
      database
        .prepare(`EXPLAIN QUERY PLAN ${text}`)
        .all(...Array.from({ length: count }, () => 1))
        .map(({ detail }) => String(detail))
        .join('; ')
    const time = { from: 1, to: 2 }
    for (const filter of [
      {},
      time,
      { person: 'p1' },
      { template: 't1', ...time },
      { type: 'start' },
      { start: 'cold', outcome: 'failed' },
      { search: 'x', ...time },
      { person: 'p1', template: 't1', type: 'stop', ...time },
    ] as const)
      for (const from of [undefined, { at: 5, id: 5 }]) {
        const { text, values } = pageStatement({ ...filter, after: from, limit: 50 })
        const plan = planOf(text, values.length)
        assert.match(plan, /USING INDEX entries_by_/, `${JSON.stringify(filter)}: ${plan}`)
        assert.doesNotMatch(plan, /TEMP B-TREE/, `${JSON.stringify(filter)}: ${plan}`)
      }
    assert.match(planOf(figureStatements.starts, 2), /USING COVERING INDEX entries_for_times \(at>/)
    assert.match(
      planOf(figureStatements.refusals, 4),
      /USING COVERING INDEX entries_for_refusals \(at>/,
    )
    assert.match(planOf(figureStatements.samples, 4), /USING INTEGER PRIMARY KEY/)
  })

  it('removes what is older in steps of at most 500', () => {
    using file = openHistoryFile(folder())
    const samples = [1, 2, 3].map((n) => ({ at: firstAt + n, places: 1, queued: 0, limit: 2 }))
    file.append({ entries: entriesFor(1_200), samples })
    const before = firstAt + 1_100_000
    assert.deepEqual(
      [file.prune(before), file.prune(before), file.prune(before)],
      [true, true, false],
    )
    assert.equal(all(file).length, 100)
    assert.equal(file.prune(before), false)
    assert.equal(
      file.figures({ from: firstAt, to: firstAt + 10, spanMs: 10 }).spans[0]?.places,
      undefined,
    )
  })

  it('counts starts, times, refusals and places in equal spans', () => {
    using file = openHistoryFile(folder())
    const start = (at: number, more: Partial<Entry>): Entry => ({
      at,
      type: 'start',
      start: 'cold',
      outcome: 'ready',
      waitedMs: 10,
      tookMs: 1_000,
      ...more,
    })
    file.append({
      entries: [
        start(100, {}),
        start(101, { tookMs: 3_000, waitedMs: 30 }),
        start(102, { start: 'frozen', tookMs: 50, waitedMs: 0 }),
        start(103, { outcome: 'failed' }),
        start(104, { outcome: 'cancelled' }),
        start(215, { start: 'standby', tookMs: 5 }),
        start(300, {}),
        start(99, {}),
        { at: 150, type: 'refusal', reason: 'queue_full' },
        { at: 151, type: 'refusal', reason: 'queue_full' },
        { at: 160, type: 'refusal', reason: 'limit_user' },
      ],
      samples: [
        { at: 120, places: 3, queued: 0, limit: 5 },
        { at: 130, places: 2, queued: 4, limit: 5 },
      ],
    })
    assert.deepEqual(file.figures({ from: 100, to: 300, spanMs: 100 }), {
      spans: [
        {
          from: 100,
          starts: { cold: 2, stopped: 0, frozen: 1, standby: 0 },
          failed: 1,
          took: { p50: 1_000, p95: 3_000 },
          waited: { p50: 10, p95: 30 },
          refusals: { queue_full: 2, limit_user: 1 },
          places: 3,
          queued: 4,
          limit: 5,
        },
        {
          from: 200,
          starts: { cold: 0, stopped: 0, frozen: 0, standby: 1 },
          failed: 0,
          took: { p50: 5, p95: 5 },
          waited: { p50: 10, p95: 10 },
          refusals: {},
        },
      ],
      byStart: {
        cold: { count: 2, p50: 1_000, p95: 3_000 },
        stopped: { count: 0 },
        frozen: { count: 1, p50: 50, p95: 50 },
        standby: { count: 1, p50: 5, p95: 5 },
      },
    })
  })

  it('has whole batches, and all that were acknowledged, after its writer was killed in the middle', async () => {
    const dir = folder()
    mkdirSync(dir)
    const writer = new URL('./testing/history-writer.ts', import.meta.url).pathname
    const child = spawn(process.execPath, [writer, dir], { stdio: ['ignore', 'pipe', 'inherit'] })
    let acknowledged = 0
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line)
      if (acknowledged >= 500 && !child.killed) child.kill('SIGKILL')
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    using file = openHistoryFile(dir)
    const found = all(file, {}, 1_000)
    assert.ok(found.length >= acknowledged && acknowledged >= 500)
    assert.equal(found.length % 100, 0)
    file.append({ entries: entriesFor(1, 1e6), samples: [] })
    assert.equal(file.page({ limit: 1 }).entries[0]?.at, firstAt + 1e9)
  })

  it('refuses a file of a newer version, and leaves it as it is', () => {
    const dir = folder()
    openHistoryFile(dir)[Symbol.dispose]()
    const path = join(dir, 'history.db')
    {
      using database = new DatabaseSync(path)
      database.exec('PRAGMA user_version = 99')
    }
    const before = readFileSync(path)
    assert.throws(() => openHistoryFile(dir), StoreError)
    assert.deepEqual(readFileSync(path), before)
  })

  it('refuses a file that is no database, and leaves it as it is', () => {
    const dir = folder()
    mkdirSync(dir)
    writeFileSync(
      join(dir, 'history.db'),
      'this is not a database at all, but long enough to be one '.repeat(99),
    )
    assert.throws(() => openHistoryFile(dir), /not a database/)
  })

  it('is removed with all that belongs to it, and nothing else', () => {
    const dir = folder()
    const file = openHistoryFile(dir)
    file.append({ entries: entriesFor(1), samples: [] })
    writeFileSync(join(dir, 'berth.db'), '')
    removeHistoryFile(dir)
    assert.deepEqual(readdirSync(dir), ['berth.db'])
    file[Symbol.dispose]()
  })
})

describe('a quantile', () => {
  it('is by nearest rank', () => {
    assert.deepEqual(quantilesOf([]), {})
    assert.deepEqual(quantilesOf([4]), { p50: 4, p95: 4 })
    const hundred = Array.from({ length: 100 }, (_, at) => 100 - at)
    assert.deepEqual(quantilesOf(hundred), { p50: 50, p95: 95 })
  })
})
