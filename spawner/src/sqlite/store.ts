// The store, a SQLite file. Opening checks and migrates the file, or refuses it with an error that says what to do.
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import type { SignInStore } from '../loop/sign-ins.ts'
import type { Store } from '../loop/store.ts'
import type { HostKeyStore } from '../ssh/host-keys.ts'
import type { RegisteredKeyStore } from '../ssh/keys.ts'
import { createRecordTables, type RecordTables } from './record-tables.ts'
import { migrate } from './schema.ts'
import { StoreError } from './store-error.ts'

/**
 * @param dataDir created if it is missing
 * @throws StoreError for a file that is damaged, is no store, or was written by a newer version; the file is not changed
 */
export function openStore(
  dataDir: string,
): Store & SignInStore & RegisteredKeyStore & HostKeyStore {
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, 'berth.db')
  const { database, tables } = open(file)
  let isOpen = true

  function transact(work: () => void): void {
    database.exec('BEGIN IMMEDIATE')
    try {
      work()
      database.exec('COMMIT')
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK')
      throw error
    }
  }

  return {
    load: () => explained(file, () => tables.load()),
    save: (changes) => transact(() => tables.save(changes)),
    loadOrders: () =>
      explained(
        file,
        () =>
          new Map(
            database
              .prepare('SELECT key, value FROM orders')
              .all()
              .map(({ key, value }) => [String(key), String(value)]),
          ),
      ),
    saveOrders(orders) {
      transact(() => {
        database.exec('DELETE FROM orders')
        const put = database.prepare('INSERT INTO orders (key, value) VALUES (?, ?)')
        for (const [key, value] of orders) put.run(key, value)
      })
    },
    backup: (path) => copy(file, path),
    signIn: (user) => tables.signIn(user),
    saveSignIn: (signIn) => tables.saveSignIn(signIn),
    keysOf: (user) => tables.keysOf(user),
    saveKey: (key) => tables.saveKey(key),
    removeKey: (user, key) => tables.removeKey(user, key),
    hostKeyOf: (generation) => tables.hostKeyOf(generation),
    saveHostKey: (key) => transact(() => tables.saveHostKey(key)),
    forgetHostKey: (workspace) => tables.forgetHostKey(workspace),
    [Symbol.dispose]() {
      if (isOpen) database.close()
      isOpen = false
    },
  }
}

/**
 * Copies the records of a store that another process may be using, and does not change that store.
 *
 * @throws StoreError for a file that is missing, damaged or no store, and for a path that belongs to the store itself
 */
export async function copyStore(dataDir: string, path: string): Promise<void> {
  const file = join(dataDir, 'berth.db')
  if (!existsSync(file)) throw new StoreError(`${file} does not exist: there is nothing to copy`)
  if (
    /^(berth\.db|history\.db|lock\.sqlite)/.test(basename(path)) &&
    isSameFolder(dirname(path), dataDir)
  )
    throw new StoreError(`${path} belongs to the store itself: choose another name for the copy`)
  await copy(file, path)
}

function isSameFolder(one: string, other: string): boolean {
  return existsSync(one) && realpathSync(one) === realpathSync(other)
}

/** How long a copy waits for a process that migrates the file. */
const busyMs = 5_000
/** All pages in one step: after each write of another process, a copy in several steps would start again. */
const pagesAtOnce = 1_000_000_000

/** On a connection of its own: SQLite refuses to copy from a connection that is writing. */
async function copy(file: string, path: string): Promise<void> {
  using database = new DatabaseSync(file, { readOnly: true, timeout: busyMs })
  explained(file, () => check(database))
  // The file gets its name only when it is complete.
  const partial = `${path}.partial`
  // An earlier copy may have been interrupted.
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
  // A crash of the process loses nothing. A power cut may lose the last records, but the engine still tells enough: a
  // standby whose name differs from its label, or that does not run, is not claimed again. FULL would delay every
  // decision by a write to the disk.
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
      `${file} cannot be read as Berth's records: ${reason}. Nothing was changed. Put a backup in its place. ` +
        `To continue without the records, move ${file} away, with the files whose names begin with the same name: ` +
        'people who wait lose their place in the queue, and claimed standby workspaces end. Workspaces that were ' +
        'created for their owner, and all homes, stay.',
      { cause: error },
    )
  }
}
