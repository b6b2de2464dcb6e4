// The schema of the store's file, as migrations. A migration that was released never changes.
import type { DatabaseSync } from 'node:sqlite'
import { StoreError } from './store-error.ts'

/** The migration at index n leads from schema n to schema n + 1. */
const migrations: readonly string[] = [
  `CREATE TABLE meta (
     key TEXT PRIMARY KEY,
     value INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE workspaces (
     name TEXT PRIMARY KEY,
     template TEXT NOT NULL,
     kind TEXT NOT NULL CHECK (kind IN ('private', 'shared')),
     owner_name TEXT,
     owner_subject TEXT,
     owner_groups TEXT CHECK (json_valid(owner_groups)),
     owner_email TEXT,
     generation TEXT,
     queued_turn INTEGER,
     served INTEGER NOT NULL,
     extended_ms REAL NOT NULL,
     CHECK ((owner_name IS NULL) = (owner_subject IS NULL)),
     CHECK ((owner_name IS NULL) = (owner_groups IS NULL))
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE seats (
     workspace TEXT NOT NULL REFERENCES workspaces (name) ON DELETE CASCADE,
     name TEXT NOT NULL,
     turn INTEGER NOT NULL,
     subject TEXT NOT NULL,
     groups TEXT NOT NULL CHECK (json_valid(groups)),
     email TEXT,
     PRIMARY KEY (workspace, name)
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE workspaces ADD COLUMN stood_by_ms REAL NOT NULL DEFAULT 0;`,
  `CREATE TABLE homes (
     volume TEXT PRIMARY KEY,
     user TEXT NOT NULL,
     last_use_at INTEGER NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE orders (
     key TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE sign_ins (
     name TEXT PRIMARY KEY,
     subject TEXT NOT NULL,
     groups TEXT NOT NULL CHECK (json_valid(groups)),
     email TEXT,
     at REAL NOT NULL
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE workspaces ADD COLUMN held INTEGER NOT NULL DEFAULT 0;`,
  `CREATE TABLE ssh_keys (
     user TEXT NOT NULL,
     key TEXT NOT NULL,
     subject TEXT NOT NULL,
     type TEXT NOT NULL,
     name TEXT NOT NULL,
     added_at REAL NOT NULL,
     used_at REAL,
     PRIMARY KEY (user, key)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE ssh_host_keys (
     generation TEXT PRIMARY KEY,
     workspace TEXT NOT NULL,
     key TEXT NOT NULL,
     seen_at REAL NOT NULL
   ) STRICT, WITHOUT ROWID;`,
]

export const schemaVersion = migrations.length

/** @throws StoreError if a newer version of Berth wrote the file */
export function migrate(database: DatabaseSync, file: string): void {
  const found = versionOf(database)
  if (found > schemaVersion)
    throw new StoreError(
      `${file} has schema ${found}, and this version of Berth knows schemas up to ${schemaVersion}. ` +
        'Run the version of Berth that wrote the file, or replace the file by a backup from before the upgrade. ' +
        'Nothing was changed.',
    )
  migrations.slice(found).forEach((statements, at) => {
    database.exec(`BEGIN; ${statements}; PRAGMA user_version = ${found + at + 1}; COMMIT;`)
  })
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
}
