// The file of the history, a SQLite database of its own: a fault of it never reaches the store
// (docs/decisions/0012-history-in-a-file-of-its-own.md). Used in a thread of its own, because queries may take long.
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue } from 'node:sqlite'
import type { Entry, Sample } from '../history/entry.ts'
import type {
  HistoryFile,
  HistoryFilter,
  PageQuery,
  StoredEntry,
} from '../history/history-store.ts'
import { figuresOf } from './history-figures.ts'
import { StoreError } from './store-error.ts'

export const historyFileName = 'history.db'

/** The migration at index n leads from schema n to schema n + 1. A migration that was released never changes. */
const migrations: readonly string[] = [
  `CREATE TABLE entries (
     id INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     type TEXT NOT NULL,
     person TEXT,
     template TEXT,
     workspace TEXT,
     start TEXT,
     outcome TEXT,
     reason TEXT,
     detail TEXT,
     waited_ms INTEGER,
     took_ms INTEGER,
     ran_ms INTEGER,
     steps TEXT CHECK (json_valid(steps)),
     exit_code INTEGER,
     limit_value REAL,
     target TEXT
   ) STRICT;
   CREATE INDEX entries_by_time ON entries (at);
   CREATE INDEX entries_by_person ON entries (person, at);
   CREATE INDEX entries_by_template ON entries (template, at);
   CREATE INDEX entries_by_type ON entries (type, at);
   CREATE INDEX entries_by_start ON entries (start, at);
   CREATE INDEX entries_by_outcome ON entries (outcome, at);
   CREATE INDEX entries_for_times ON entries (at, start, outcome, took_ms, waited_ms)
     WHERE type = 'start';
   CREATE INDEX entries_for_refusals ON entries (at, reason) WHERE type = 'refusal';
   CREATE TABLE samples (
     at INTEGER PRIMARY KEY,
     places INTEGER NOT NULL,
     queued INTEGER NOT NULL,
     limit_value INTEGER NOT NULL
   ) STRICT;`,
]

/** Rows that are removed in one call. */
const pruneAtOnce = 500
/** Whatever the retention is, the file does not grow without bound. */
const mostEntries = 1_000_000

/** @throws StoreError for a file of a newer version; an error of SQLite for a file that is damaged or cannot be opened */
export function openHistoryFile(dataDir: string): HistoryFile {
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, historyFileName)
  const database = new DatabaseSync(file, { timeout: 1_000 })
  try {
    prepare(database, file)
    return historyIn(database)
  } catch (error) {
    database.close()
    throw error
  }
}

export function removeHistoryFile(dataDir: string): void {
  for (const end of ['', '-wal', '-shm'])
    rmSync(join(dataDir, `${historyFileName}${end}`), { force: true })
}

function prepare(database: DatabaseSync, file: string): void {
  const found = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
  if (found > migrations.length)
    throw new StoreError(
      `${file} has schema ${found}, and this version of Berth knows schemas up to ${migrations.length}. ` +
        'Run the version of Berth that wrote the file, or remove the file. Nothing was changed.',
    )
  // Before the first table: space of removed entries goes back to the file system in small steps.
  if (found === 0) database.exec('PRAGMA auto_vacuum = INCREMENTAL')
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  migrations.slice(found).forEach((statements, at) => {
    database.exec(`BEGIN; ${statements}; PRAGMA user_version = ${found + at + 1}; COMMIT;`)
  })
}

function historyIn(database: DatabaseSync): HistoryFile {
  const putEntry = database.prepare(
    `INSERT INTO entries (at, type, person, template, workspace, start, outcome, reason, detail,
       waited_ms, took_ms, ran_ms, steps, exit_code, limit_value, target)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  )
  const putSample = database.prepare(
    'INSERT OR REPLACE INTO samples (at, places, queued, limit_value) VALUES (?, ?, ?, ?)',
  )
  const dropOld = database.prepare(
    'DELETE FROM entries WHERE id IN (SELECT id FROM entries WHERE at < ? ORDER BY at LIMIT ?)',
  )
  const dropSamples = database.prepare(
    'DELETE FROM samples WHERE at IN (SELECT at FROM samples WHERE at < ? ORDER BY at LIMIT ?)',
  )
  const dropSurplus = database.prepare(
    `DELETE FROM entries WHERE id IN
       (SELECT id FROM entries WHERE id <= (SELECT max(id) FROM entries) - ? ORDER BY id LIMIT ?)`,
  )

  function inTransaction<T>(work: () => T): T {
    database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      database.exec('COMMIT')
      return result
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  return {
    append({ entries, samples }) {
      inTransaction(() => {
        for (const entry of entries) putEntry.run(...rowOf(entry))
        for (const sample of samples) putSample.run(...sampleRow(sample))
      })
    },

    page(query) {
      const { text, values } = pageStatement(query)
      const rows = database.prepare(text).all(...values)
      const entries = rows.slice(0, query.limit).map(entryOf)
      const last = entries.at(-1)
      return rows.length > query.limit && last !== undefined
        ? { entries, next: { at: last.at, id: last.id } }
        : { entries }
    },

    figures: (query) => figuresOf(database, query),

    prune(before) {
      const removed = inTransaction(() =>
        [
          dropOld.run(before, pruneAtOnce),
          dropSamples.run(before, pruneAtOnce),
          dropSurplus.run(mostEntries, pruneAtOnce),
        ].map(({ changes }) => Number(changes)),
      )
      if (Math.max(...removed) > 0) database.exec('PRAGMA incremental_vacuum(100)')
      return Math.max(...removed) >= pruneAtOnce
    },

    [Symbol.dispose]() {
      if (database.isOpen) database.close()
    },
  }
}

/** Exported for the test that asserts that each statement uses an index. */
export function pageStatement(query: PageQuery): {
  readonly text: string
  readonly values: readonly SQLInputValue[]
} {
  const { conditions, values } = conditionsOf(query)
  const { after } = query
  if (after !== undefined) {
    conditions.push('(at, id) < (?, ?)')
    values.push(after.at, after.id)
  }
  const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`
  // One more than the page has tells whether there is another page.
  const text = `SELECT * FROM entries ${where} ORDER BY at DESC, id DESC LIMIT ?`
  return { text, values: [...values, query.limit + 1] }
}

const searched = ['person', 'workspace', 'template', 'reason', 'detail', 'target'] as const

function conditionsOf(filter: HistoryFilter): { conditions: string[]; values: SQLInputValue[] } {
  const conditions: string[] = []
  const values: SQLInputValue[] = []
  const add = (condition: string, ...given: readonly SQLInputValue[]): void => {
    conditions.push(condition)
    values.push(...given)
  }
  for (const column of ['person', 'template', 'type', 'start', 'outcome'] as const) {
    const value = filter[column]
    if (value !== undefined) add(`${column} = ?`, value)
  }
  if (filter.from !== undefined) add('at >= ?', filter.from)
  if (filter.to !== undefined) add('at < ?', filter.to)
  if (filter.search !== undefined && filter.search !== '') {
    const part = `%${filter.search.replaceAll(/[\\%_]/g, (found) => `\\${found}`)}%`
    const each = searched.map((column) => `${column} LIKE ? ESCAPE '\\'`)
    add(`(${each.join(' OR ')})`, ...searched.map(() => part))
  }
  return { conditions, values }
}

function rowOf(entry: Entry): SQLInputValue[] {
  const { at, type, person, template, workspace, start, outcome, reason, detail } = entry
  const { waitedMs, tookMs, ranMs, steps, exitCode, limit, target } = entry
  return [
    Math.round(at),
    type,
    person ?? null,
    template ?? null,
    workspace ?? null,
    start ?? null,
    outcome ?? null,
    reason ?? null,
    detail ?? null,
    rounded(waitedMs),
    rounded(tookMs),
    rounded(ranMs),
    steps === undefined ? null : JSON.stringify(steps),
    rounded(exitCode),
    limit ?? null,
    target ?? null,
  ]
}

const rounded = (value: number | undefined) => (value === undefined ? null : Math.round(value))

const sampleRow = ({ at, places, queued, limit }: Sample) => [Math.round(at), places, queued, limit]

function entryOf(row: Readonly<Record<string, SQLOutputValue>>): StoredEntry {
  const fields = {
    id: row['id'],
    at: row['at'],
    type: row['type'],
    person: row['person'],
    template: row['template'],
    workspace: row['workspace'],
    start: row['start'],
    outcome: row['outcome'],
    reason: row['reason'],
    detail: row['detail'],
    waitedMs: row['waited_ms'],
    tookMs: row['took_ms'],
    ranMs: row['ran_ms'],
    steps: typeof row['steps'] === 'string' ? (JSON.parse(row['steps']) as object) : null,
    exitCode: row['exit_code'],
    limit: row['limit_value'],
    target: row['target'],
  }
  const present = Object.entries(fields).filter(([, value]) => value !== null)
  // The columns hold what `rowOf` wrote.
  return Object.fromEntries(present) as unknown as StoredEntry
}
