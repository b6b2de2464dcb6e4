// The store in a file of its own: opened, brought up to date and checked, or refused with a word about what to do.
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import type { Store } from '../loop/store.ts'
import { createRecordTables, type RecordTables } from './record-tables.ts'
import { migrate } from './schema.ts'
import { StoreError } from './store-error.ts'

/**
 * @param dataDir made where it is missing
 * @throws StoreError for a file that is damaged, is no store, or was written by a newer version; it is left as it is
 */
export function openStore(dataDir: string): Store {
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, 'berth.db')
  const { database, tables } = open(file)
  let isOpen = true
  return {
    load: () => explained(file, () => tables.load()),
    save(changes) {
      database.exec('BEGIN IMMEDIATE')
      try {
        tables.save(changes)
        database.exec('COMMIT')
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK')
        throw error
      }
    },
    backup: (path) => copy(file, path),
    [Symbol.dispose]() {
      if (isOpen) database.close()
      isOpen = false
    },
  }
}

/**
 * Copies the records of a store that another process may be at work with. It changes nothing there.
 *
 * @throws StoreError for a file that is not there, is damaged or is no store, and for a path that is the store's own
 */
export async function copyStore(dataDir: string, path: string): Promise<void> {
  const file = join(dataDir, 'berth.db')
  if (!existsSync(file)) throw new StoreError(`${file} does not exist: there is nothing to copy`)
  if (/^(berth\.db|lock\.sqlite)/.test(basename(path)) && isSameFolder(dirname(path), dataDir))
    throw new StoreError(`${path} belongs to the store itself; a copy needs another name`)
  await copy(file, path)
}

function isSameFolder(one: string, other: string): boolean {
  return existsSync(one) && realpathSync(one) === realpathSync(other)
}

/** How long a copy waits for whoever brings the file up to date. */
const busyMs = 5_000
/** All pages at one go, or what another process writes meanwhile made it begin anew each time. */
const pagesAtOnce = 1_000_000_000

/** On a connection of its own: one that is writing is refused a copy, and with words that say nothing. */
async function copy(file: string, path: string): Promise<void> {
  using database = new DatabaseSync(file, { readOnly: true, timeout: busyMs })
  explained(file, () => check(database))
  // Whoever finds the file under its name finds all of it.
  const partial = `${path}.partial`
  // Of an earlier one that was cut off.
  await rm(partial, { force: true })
  await backup(database, partial, { rate: pagesAtOnce })
  await rename(partial, path)
}

function open(file: string): {
  readonly database: DatabaseSync
  readonly tables: RecordTables
} {
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: true })
  try {
    explained(file, () => prepare(database, file))
    return { database, tables: explained(file, () => createRecordTables(database)) }
  } catch (error) {
    database.close()
    throw error
  }
}

function prepare(database: DatabaseSync, file: string): void {
  check(database)
  database.exec('PRAGMA journal_mode = WAL')
  // A crash of the process loses nothing. A power cut may lose the last moments, of which the engine still tells
  // enough: what bears another name than its label, or does not run, is no standby for anybody any more. FULL
  // would hold up every decision for a write to the disk.
  database.exec('PRAGMA synchronous = NORMAL')
  migrate(database, file)
}

function check(database: DatabaseSync): void {
  const [found] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {})
  if (found !== 'ok') throw new Error(String(found))
}

function explained<T>(file: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof StoreError) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw new StoreError(
      `${file} cannot be read as Berth's records: ${reason}. Nothing was changed. Put a backup in its place, ` +
        'or move it away, with the files beside it whose names begin like it, to go on without: who waits loses ' +
        'their place in the order, and warm containers that were given to somebody end. Workspaces that were ' +
        'made for their owner, and all homes, stay.',
      { cause: error },
    )
  }
}
