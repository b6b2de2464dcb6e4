// Writes records as rows, and reads them back. One decision writes only the rows that it changed.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type {
  HomeRecord,
  RecordChanges,
  Recorded,
  RecordedSeat,
  WorkspaceKind,
  WorkspaceRecord,
} from '../policy/domain.ts'
import type { SignInStore } from '../loop/sign-ins.ts'
import type { HostKeyStore } from '../ssh/host-keys.ts'
import type { RegisteredKey, RegisteredKeyStore } from '../ssh/keys.ts'
import { isSameSeat } from '../policy/state/records.ts'

type Row = Readonly<Record<string, SQLOutputValue>>

export interface RecordTables extends SignInStore, RegisteredKeyStore, HostKeyStore {
  load(): Recorded
  /** Runs within the open transaction of the caller. */
  save(changes: RecordChanges): void
}

export function createRecordTables(database: DatabaseSync): RecordTables {
  const putMeta = database.prepare(
    'INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  )
  const putWorkspace = database.prepare(
    `INSERT INTO workspaces (name, template, kind, owner_name, owner_subject, owner_groups, owner_email,
       generation, queued_turn, served, extended_ms, stood_by_ms, held)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET template = excluded.template, kind = excluded.kind,
       owner_name = excluded.owner_name, owner_subject = excluded.owner_subject,
       owner_groups = excluded.owner_groups, owner_email = excluded.owner_email,
       generation = excluded.generation, queued_turn = excluded.queued_turn, served = excluded.served,
       extended_ms = excluded.extended_ms, stood_by_ms = excluded.stood_by_ms,
       held = excluded.held`,
  )
  const dropWorkspace = database.prepare('DELETE FROM workspaces WHERE name = ?')
  const putSeat = database.prepare(
    `INSERT INTO seats (workspace, name, turn, subject, groups, email) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (workspace, name) DO UPDATE SET turn = excluded.turn, subject = excluded.subject,
       groups = excluded.groups, email = excluded.email`,
  )
  const dropSeat = database.prepare('DELETE FROM seats WHERE workspace = ? AND name = ?')

  const putHome = database.prepare(
    `INSERT INTO homes (volume, user, last_use_at) VALUES (?, ?, ?)
     ON CONFLICT (volume) DO UPDATE SET user = excluded.user, last_use_at = excluded.last_use_at`,
  )
  const dropHome = database.prepare('DELETE FROM homes WHERE volume = ?')

  const getSignIn = database.prepare('SELECT * FROM sign_ins WHERE name = ?')
  const putSignIn = database.prepare(
    `INSERT INTO sign_ins (name, subject, groups, email, at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET subject = excluded.subject, groups = excluded.groups,
       email = excluded.email, at = excluded.at`,
  )

  const getKeys = database.prepare('SELECT * FROM ssh_keys WHERE user = ? ORDER BY added_at, key')
  const putKey = database.prepare(
    `INSERT INTO ssh_keys (user, key, subject, type, name, added_at, used_at) VALUES (?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (user, key) DO UPDATE SET subject = excluded.subject, type = excluded.type,
       name = excluded.name, added_at = excluded.added_at, used_at = excluded.used_at`,
  )
  const dropKey = database.prepare('DELETE FROM ssh_keys WHERE user = ? AND key = ?')

  const getHostKey = database.prepare('SELECT key FROM ssh_host_keys WHERE generation = ?')
  const putHostKey = database.prepare(
    'INSERT INTO ssh_host_keys (generation, workspace, key, seen_at) VALUES (?, ?, ?, ?)',
  )
  const dropHostKeys = database.prepare('DELETE FROM ssh_host_keys WHERE workspace = ?')

  function save({ saved, removed, nextTicket, homes, homesGone }: RecordChanges): void {
    for (const { volume, user, lastUseAt } of homes ?? []) putHome.run(volume, user, lastUseAt)
    for (const volume of homesGone ?? []) dropHome.run(volume)
    for (const name of removed) {
      dropWorkspace.run(name)
      dropHostKeys.run(name)
    }
    for (const { record, former } of saved) {
      saveWorkspace(record)
      saveSeats(record, former?.seats ?? [])
    }
    if (nextTicket !== undefined) putMeta.run('next_turn', nextTicket)
  }

  function saveWorkspace(record: WorkspaceRecord): void {
    const { owner } = record
    putWorkspace.run(
      record.name,
      record.template,
      record.kind,
      owner?.name ?? null,
      owner?.subject ?? null,
      owner === undefined ? null : JSON.stringify(owner.groups),
      owner?.email ?? null,
      record.generation ?? null,
      record.queueTicket ?? null,
      record.served,
      record.extendedMs,
      record.stoodByMs,
      record.held ? 1 : 0,
    )
  }

  /** Writes only the seats that changed: a shared workspace may have many. */
  function saveSeats({ name, seats }: WorkspaceRecord, former: readonly RecordedSeat[]): void {
    const was = new Map(former.map((seat) => [seat.person.name, seat]))
    for (const seat of seats) {
      const { person, ticket } = seat
      const isKept = isSameSeat(seat, was.get(person.name))
      was.delete(person.name)
      if (isKept) continue
      const { subject, groups, email = null } = person
      putSeat.run(name, person.name, ticket, subject, JSON.stringify(groups), email)
    }
    for (const gone of was.keys()) dropSeat.run(name, gone)
  }

  function load(): Recorded {
    const seats = new Map<string, RecordedSeat[]>()
    for (const row of database.prepare('SELECT * FROM seats ORDER BY turn').all()) {
      const person = personOf(row['name'], row['subject'], row['groups'], row['email'])
      if (person === undefined) continue
      const workspace = String(row['workspace'])
      const seat = { person, ticket: Number(row['turn']) }
      const others = seats.get(workspace)
      if (others === undefined) seats.set(workspace, [seat])
      else others.push(seat)
    }
    const rows = database.prepare('SELECT * FROM workspaces ORDER BY name').all()
    const meta = database.prepare(`SELECT value FROM meta WHERE key = 'next_turn'`).get()
    const homes = database.prepare('SELECT * FROM homes ORDER BY volume').all().map(homeOf)
    return {
      ...(homes.length === 0 ? {} : { homes }),
      workspaces: rows.map((row) => recordOf(row, seats.get(String(row['name'])) ?? [])),
      nextTicket: Number(meta?.['value'] ?? 1),
    }
  }

  return {
    load,
    save,
    signIn(user) {
      const row = getSignIn.get(user)
      const person = personOf(row?.['name'], row?.['subject'], row?.['groups'], row?.['email'])
      return person === undefined ? undefined : { person, at: Number(row?.['at']) }
    },
    saveSignIn({ person, at }) {
      const { name, subject, groups, email = null } = person
      putSignIn.run(name, subject, JSON.stringify(groups), email, at)
    },
    keysOf: (user) => getKeys.all(user).map(keyOf),
    saveKey({ user, key, subject, type, name, addedAt, usedAt = null }) {
      putKey.run(user, key, subject, type, name, addedAt, usedAt)
    },
    removeKey: (user, key) => void dropKey.run(user, key),
    hostKeyOf(generation) {
      const key = getHostKey.get(generation)?.['key']
      return typeof key === 'string' ? key : undefined
    },
    saveHostKey({ generation, workspace, key, seenAt }) {
      dropHostKeys.run(workspace)
      putHostKey.run(generation, workspace, key, seenAt)
    },
    forgetHostKey: (workspace) => Number(dropHostKeys.run(workspace).changes) > 0,
  }
}

function recordOf(row: Row, seats: readonly RecordedSeat[]): WorkspaceRecord {
  const { generation, queued_turn: queueTicket } = row
  return {
    name: String(row['name']) as WorkspaceName,
    template: String(row['template']),
    kind: String(row['kind']) as WorkspaceKind,
    owner: personOf(
      row['owner_name'],
      row['owner_subject'],
      row['owner_groups'],
      row['owner_email'],
    ),
    generation: typeof generation === 'string' ? generation : undefined,
    queueTicket: typeof queueTicket === 'number' ? queueTicket : undefined,
    seats,
    served: Number(row['served']),
    extendedMs: Number(row['extended_ms']),
    stoodByMs: Number(row['stood_by_ms']),
    held: row['held'] === 1,
  }
}

function homeOf(row: Row): HomeRecord {
  const { volume, user, last_use_at: lastUseAt } = row
  return { volume: String(volume), user: String(user) as UserName, lastUseAt: Number(lastUseAt) }
}

function keyOf(row: Row): RegisteredKey {
  const usedAt = row['used_at']
  return {
    user: String(row['user']) as UserName,
    subject: String(row['subject']),
    type: String(row['type']),
    key: String(row['key']),
    name: String(row['name']),
    addedAt: Number(row['added_at']),
    ...(typeof usedAt === 'number' ? { usedAt } : {}),
  }
}

function personOf(
  name: SQLOutputValue | undefined,
  subject: SQLOutputValue | undefined,
  groups: SQLOutputValue | undefined,
  email: SQLOutputValue | undefined,
): Person | undefined {
  if (typeof name !== 'string' || typeof subject !== 'string') return undefined
  const known = { name: name as UserName, subject, groups: JSON.parse(String(groups)) as string[] }
  return typeof email === 'string' ? { ...known, email } : known
}
