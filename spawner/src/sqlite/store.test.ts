import assert from 'node:assert/strict'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { parseUserName, type UserName, type WorkspaceName } from '@berth/shared/names'
import fc from 'fast-check'
import type { Recorded, WorkspaceRecord } from '../policy/domain.ts'
import { withChanges } from '../policy/testing/with-changes.ts'
import { createRecordTables } from './record-tables.ts'
import { migrate, schemaVersion } from './schema.ts'
import { openStore } from './store.ts'
import { StoreError } from './store-error.ts'

const root = mkdtempSync(join(tmpdir(), 'berth-store-'))
after(() => rmSync(root, { recursive: true }))
let folders = 0
const folder = (): string => join(root, String(++folders))

const anyPerson = fc.record(
  {
    name: fc
      .string({ unit: 'grapheme', minLength: 1 })
      .map((text) => (parseUserName(text) ?? 'ann') as UserName),
    subject: fc.string(),
    groups: fc.array(fc.string({ unit: 'grapheme' })),
    email: fc.string(),
  },
  { requiredKeys: ['name', 'subject', 'groups'], noNullPrototype: true },
)
const anySeats = fc
  .uniqueArray(anyPerson, { selector: ({ name }) => name, maxLength: 5 })
  .chain((people) =>
    fc
      .uniqueArray(fc.nat(), { minLength: people.length, maxLength: people.length })
      .map((turns) => turns.sort((a, b) => a - b))
      .map((turns) => people.map((person, at) => ({ person, ticket: turns[at] ?? 0 }))),
  )
const anyRecord: fc.Arbitrary<WorkspaceRecord> = fc.record(
  {
    name: fc.constantFrom('lab-a', 'lab-b', 'lab-c', 'lab-d').map((name) => name as WorkspaceName),
    template: fc.string(),
    kind: fc.constantFrom('private', 'shared'),
    owner: fc.option(anyPerson, { nil: undefined }),
    generation: fc.option(fc.string(), { nil: undefined }),
    queueTicket: fc.option(fc.maxSafeNat(), { nil: undefined }),
    seats: anySeats,
    served: fc.nat(),
    extendedMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
    stoodByMs: fc.double({ min: 0, max: 1e12, noNaN: true }),
    held: fc.boolean(),
  },
  { noNullPrototype: true },
)

const sorted = ({ workspaces, nextTicket }: Recorded): Recorded => ({
  workspaces: workspaces.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  nextTicket,
})
const plain = (name: string, more: Partial<WorkspaceRecord> = {}): WorkspaceRecord => ({
  name: name as WorkspaceName,
  template: 'lab',
  kind: 'private',
  owner: { name: 'ann' as UserName, subject: 'u-ann', groups: [] },
  generation: `${name}#1`,
  queueTicket: undefined,
  seats: [],
  served: 0,
  extendedMs: 0,
  stoodByMs: 0,
  held: false,
  ...more,
})

describe('the store', () => {
  it('is empty at first', () => {
    using store = openStore(folder())
    assert.deepEqual(store.load(), { workspaces: [], nextTicket: 1 })
  })

  it('keeps what administrators have ordered', () => {
    const dir = folder()
    {
      using store = openStore(dir)
      store.saveOrders(new Map([['message', 'x']]))
      store.saveOrders(new Map([['maintenance', 'new disks']]))
    }
    using store = openStore(dir)
    assert.deepEqual([...store.loadOrders()], [['maintenance', 'new disks']])
  })

  it('loads after a restart exactly what was saved', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            records: fc.uniqueArray(anyRecord, { selector: ({ name }) => name }),
            nextTicket: fc.maxSafeNat(),
          }),
          { minLength: 1, maxLength: 4 },
        ),
        (saves) => {
          const dir = folder()
          let known: Recorded = { workspaces: [], nextTicket: 1 }
          for (const { records, nextTicket } of saves) {
            using store = openStore(dir)
            assert.deepEqual(sorted(store.load()), sorted(known))
            const former = new Map(known.workspaces.map((record) => [record.name, record]))
            const saved = records.map((record) => {
              const was = former.get(record.name)
              former.delete(record.name)
              return was === undefined ? { record } : { record, former: was }
            })
            const changes = { saved, removed: [...former.keys()], nextTicket }
            store.save(changes)
            known = withChanges(known, changes)
          }
          using store = openStore(dir)
          assert.deepEqual(sorted(store.load()), sorted(known))
        },
      ),
      { numRuns: 40 },
    )
  })

  it('keeps the time of the last use of a volume until the volume is gone', () => {
    const dir = folder()
    const ann = { volume: 'ann-home', user: 'ann' as UserName, lastUseAt: 1_700_000_000_000 }
    const bob = { volume: 'bob-home', user: 'bob' as UserName, lastUseAt: 1 }
    {
      using store = openStore(dir)
      store.save({ saved: [], removed: [], homes: [ann, bob] })
      store.save({
        saved: [],
        removed: [],
        homes: [{ ...ann, lastUseAt: 5 }],
        homesGone: ['bob-home'],
      })
    }
    using store = openStore(dir)
    assert.deepEqual(store.load().homes, [{ ...ann, lastUseAt: 5 }])
  })

  it('keeps the last sign-in of each person', () => {
    const dir = folder()
    const ann = { name: 'ann' as UserName, subject: 'u-ann', groups: ['staff'] }
    {
      using store = openStore(dir)
      store.saveSignIn({ person: ann, at: 1_700_000_000_000.5 })
      store.saveSignIn({ person: { ...ann, groups: ['a,b'], email: 'ann@example.com' }, at: 2 })
    }
    using store = openStore(dir)
    const found = store.signIn(ann.name)
    assert.deepEqual(found, {
      person: { ...ann, groups: ['a,b'], email: 'ann@example.com' },
      at: 2,
    })
    assert.equal(store.signIn('bob' as UserName), undefined)
  })

  it('keeps the keys that people register', () => {
    const dir = folder()
    const key = {
      user: 'ann' as UserName,
      subject: 'u-ann',
      type: 'ssh-ed25519',
      key: 'AAAA',
      name: 'laptop',
      addedAt: 7,
    }
    {
      using store = openStore(dir)
      store.saveKey(key)
      store.saveKey({ ...key, key: 'BBBB', addedAt: 3 })
      store.saveKey({ ...key, user: 'bob' as UserName })
      store.saveKey({ ...key, usedAt: 9.5 })
    }
    using store = openStore(dir)
    assert.deepEqual(store.keysOf(key.user), [
      { ...key, key: 'BBBB', addedAt: 3 },
      { ...key, usedAt: 9.5 },
    ])
    store.removeKey(key.user, 'AAAA')
    assert.deepEqual(store.keysOf(key.user), [{ ...key, key: 'BBBB', addedAt: 3 }])
    assert.equal(store.keysOf('bob' as UserName).length, 1)
  })

  it('keeps one host key for each workspace, until its container is another one or the workspace is gone', () => {
    const dir = folder()
    const key = { generation: 'g1', workspace: 'lab-a', key: 'AAAA', seenAt: 7.5 }
    {
      using store = openStore(dir)
      store.saveHostKey(key)
      store.saveHostKey({ ...key, generation: 'g7', workspace: 'lab-b' })
    }
    using store = openStore(dir)
    assert.deepEqual([store.hostKeyOf('g1'), store.hostKeyOf('g2')], ['AAAA', undefined])
    store.saveHostKey({ ...key, generation: 'g2', key: 'BBBB' })
    assert.deepEqual([store.hostKeyOf('g1'), store.hostKeyOf('g2')], [undefined, 'BBBB'])
    assert.deepEqual([store.forgetHostKey('lab-a'), store.forgetHostKey('lab-a')], [true, false])
    assert.equal(store.hostKeyOf('g2'), undefined)
    store.save({ saved: [], removed: ['lab-b' as WorkspaceName] })
    assert.equal(store.hostKeyOf('g7'), undefined)
  })

  it('saves all changes of a decision or none', () => {
    using store = openStore(folder())
    store.save({ saved: [{ record: plain('lab-a') }], removed: [], nextTicket: 5 })
    const broken = plain('lab-b', { served: undefined as unknown as number })
    assert.throws(() =>
      store.save({
        saved: [{ record: plain('lab-c') }, { record: broken }],
        removed: ['lab-a' as WorkspaceName],
        nextTicket: 6,
      }),
    )
    assert.deepEqual(store.load(), { workspaces: [plain('lab-a')], nextTicket: 5 })
    store.save({ saved: [{ record: plain('lab-d') }], removed: [] })
    assert.equal(store.load().workspaces.length, 2)
  })

  it('writes one row if one of ten thousand workspaces changed', () => {
    using database = new DatabaseSync(':memory:')
    migrate(database, 'memory')
    const tables = createRecordTables(database)
    const written = () => Number(database.prepare('SELECT total_changes() AS n').get()?.['n'])
    const records = Array.from({ length: 10_000 }, (_, at) => plain(`lab-p${at}`))
    tables.save({ saved: records.map((record) => ({ record })), removed: [] })
    const before = written()
    const former = plain('lab-p7')
    tables.save({ saved: [{ record: { ...former, extendedMs: 1 }, former }], removed: [] })
    assert.equal(written() - before, 1)
  })

  it('writes only the changed seats of a shared workspace', () => {
    using store = openStore(folder())
    const seat = (at: number) => ({
      person: { name: `p${at}` as UserName, subject: `u-p${at}`, groups: [] },
      ticket: at,
    })
    const name = 'lab-shared--1'
    const seats = Array.from({ length: 500 }, (_, at) => seat(at))
    const of = { kind: 'shared', owner: undefined } as const
    const former = plain(name, { ...of, seats })
    store.save({ saved: [{ record: former }], removed: [] })
    const record = plain(name, { ...of, seats: [...seats.slice(1), seat(500)] })
    store.save({ saved: [{ record, former }], removed: [] })
    assert.deepEqual(store.load().workspaces, [record])
    store.save({ saved: [], removed: [name as WorkspaceName] })
    store.save({ saved: [{ record: plain(name, of) }], removed: [] })
    assert.deepEqual(store.load().workspaces[0]?.seats, [])
  })
})

describe('a backup', () => {
  it('taken while records are saved holds the records of one moment', async () => {
    const dir = folder()
    using store = openStore(dir)
    const pairs = Array.from({ length: 2_000 }, (_, at) => plain(`lab-p${at}`))
    store.save({ saved: pairs.map((record) => ({ record })), removed: [], nextTicket: 1 })
    const path = join(root, 'backup.db')
    let isDone = false
    const copied = store.backup(path).finally(() => {
      isDone = true
    })
    let turn = 1
    while (!isDone) {
      // Without a pause, so that the copy begins while something is being written.
      for (const until = turn + 50; turn < until;) {
        turn += 1
        // Two rows far apart that every decision changes together.
        const saved = ['lab-p0', 'lab-p1999'].map((name) => ({
          record: plain(name, { served: turn }),
        }))
        store.save({ saved, removed: [], nextTicket: turn })
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
    await copied
    assert.ok(turn > 2, 'nothing was saved meanwhile')
    const restored = folder()
    openStore(restored)[Symbol.dispose]()
    copyFileSync(path, join(restored, 'berth.db'))
    using again = openStore(restored)
    const { workspaces, nextTicket } = again.load()
    assert.equal(workspaces.length, 2_000)
    const served = ['lab-p0', 'lab-p1999'].map(
      (wanted) => workspaces.find(({ name }) => name === wanted)?.served,
    )
    assert.deepEqual(served, nextTicket === 1 ? [0, 0] : [nextTicket, nextTicket])
    store.save({ saved: [], removed: [], nextTicket: 99_999 })
    assert.equal(store.load().nextTicket, 99_999)
  })

  it('that cannot be written leaves no file, and the store keeps working', async () => {
    using store = openStore(folder())
    const path = join(root, 'nowhere', 'backup.db')
    await assert.rejects(store.backup(path))
    assert.equal(existsSync(path), false)
    store.save({ saved: [], removed: [], nextTicket: 2 })
    assert.equal(store.load().nextTicket, 2)
  })
})

describe('a file that cannot be used as the store', () => {
  const broken = (dir: string, write: (file: string) => void): Buffer => {
    openStore(dir)[Symbol.dispose]()
    const file = join(dir, 'berth.db')
    write(file)
    return readFileSync(file)
  }

  it('is refused with both versions, and not changed, if a newer version wrote it', () => {
    const dir = folder()
    const before = broken(dir, (file) => {
      const database = new DatabaseSync(file)
      database.exec(`PRAGMA user_version = ${schemaVersion + 3}`)
      database.close()
    })
    assert.throws(
      () => openStore(dir),
      (error: unknown) => {
        assert.ok(error instanceof StoreError)
        assert.match(error.message, new RegExp(`schema ${schemaVersion + 3}`))
        assert.match(error.message, new RegExp(`up to ${schemaVersion}`))
        assert.match(error.message, /backup/)
        return true
      },
    )
    assert.deepEqual(readFileSync(join(dir, 'berth.db')), before)
  })

  it('is refused, with what to do, if it is the database of another program', () => {
    const dir = folder()
    const before = broken(dir, (file) => {
      const database = new DatabaseSync(file)
      database.exec('DROP TABLE seats; PRAGMA journal_mode = WAL')
      database.close()
    })
    assert.throws(() => openStore(dir), { name: 'StoreError', message: /berth\.db.*backup/ })
    assert.deepEqual(readFileSync(join(dir, 'berth.db')), before)
  })

  for (const [what, spoil] of [
    ['is not a database', () => Buffer.from('this is the text of another program\n'.repeat(200))],
    ['is cut off', (whole: Buffer) => whole.subarray(0, 5_000)],
    ['is damaged in the middle', (whole: Buffer) => whole.fill(0x5a, 4_096, 12_000)],
  ] as const)
    it(`is refused, with what to do, and not changed, if it ${what}`, () => {
      const dir = folder()
      const before = broken(dir, (file) => writeFileSync(file, spoil(readFileSync(file))))
      assert.throws(
        () => openStore(dir),
        (error: unknown) => {
          assert.ok(error instanceof StoreError, String(error))
          assert.match(error.message, /berth\.db/)
          assert.match(error.message, /backup/)
          return true
        },
      )
      assert.deepEqual(readFileSync(join(dir, 'berth.db')), before)
    })
})
