import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { WorkspaceRecord } from '../policy/domain.ts'
import { openStore } from '../sqlite/store.ts'

const root = mkdtempSync(join(tmpdir(), 'berth-backup-'))
after(() => rmSync(root, { recursive: true }))
const command = fileURLToPath(new URL('./backup.ts', import.meta.url))

const folder = (): string => mkdtempSync(join(root, 'data-'))
const plain = (name: string, served = 0): WorkspaceRecord => ({
  name: name as WorkspaceName,
  template: 'lab',
  kind: 'private',
  owner: { name: 'ann' as UserName, subject: 'u-ann', groups: [] },
  generation: `${name}#1`,
  queueTicket: undefined,
  seats: [],
  served,
  extendedMs: 0,
  stoodByMs: 0,
  held: false,
})

/** Runs the command as an administrator does. */
async function run(dataDir: string, ...args: readonly string[]) {
  return new Promise<{ code: unknown; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, DATA_DIR: dataDir }
    const deadline = { env, timeout: 60_000 }
    execFile(process.execPath, [command, ...args], deadline, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code, stdout, stderr })
    })
  })
}

/** The records that a spawner finds when it is started with the copy. */
function restored(path: string) {
  const dir = folder()
  copyFileSync(path, join(dir, 'berth.db'))
  using store = openStore(dir)
  return store.load()
}

describe('the backup command', () => {
  it('copies the records of one moment while another process writes', async () => {
    const dir = folder()
    const path = join(root, 'busy.db')
    using store = openStore(dir)
    const records = Array.from({ length: 2_000 }, (_, at) => plain(`lab-p${at}`))
    store.save({ saved: records.map((record) => ({ record })), removed: [], nextTicket: 1 })
    let isDone = false
    const copied = run(dir, path).finally(() => {
      isDone = true
    })
    let turn = 1
    while (!isDone) {
      turn += 1
      // Two rows far apart that every decision changes together.
      const saved = ['lab-p0', 'lab-p1999'].map((name) => ({ record: plain(name, turn) }))
      store.save({ saved, removed: [], nextTicket: turn })
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.deepEqual(await copied, { code: 0, stdout: `records copied to ${path}\n`, stderr: '' })
    const { workspaces, nextTicket } = restored(path)
    assert.equal(workspaces.length, 2_000)
    const served = ['lab-p0', 'lab-p1999'].map(
      (wanted) => workspaces.find(({ name }) => name === wanted)?.served,
    )
    assert.deepEqual(served, [nextTicket, nextTicket])
    assert.ok(nextTicket > 1 && nextTicket <= turn, 'what was saved before it began is in it')
    assert.equal(store.load().nextTicket, turn, 'the store itself has all')
  })

  it('copies the records of a stopped spawner, and replaces an older copy', async () => {
    const dir = folder()
    const path = join(dir, 'backup.db')
    {
      using store = openStore(dir)
      store.save({ saved: [{ record: plain('lab-ann', 3) }], removed: [], nextTicket: 8 })
    }
    writeFileSync(path, 'an older one')
    writeFileSync(`${path}.partial`, 'one that was cut off')
    assert.equal((await run(dir, path)).code, 0)
    assert.deepEqual(restored(path), { workspaces: [plain('lab-ann', 3)], nextTicket: 8 })
    assert.equal(existsSync(`${path}.partial`), false)
  })

  it('never writes over the store itself', async () => {
    const dir = folder()
    openStore(dir)[Symbol.dispose]()
    const before = readFileSync(join(dir, 'berth.db'))
    // A copy in the place of the lock file would let a second spawner run beside the first.
    for (const path of [
      join(dir, 'berth.db'),
      join(dir, '.', 'x', '..', 'berth.db-wal'),
      join(dir, 'lock.sqlite'),
    ]) {
      mkdirSync(join(dir, 'x'), { recursive: true })
      const { code, stderr } = await run(dir, path)
      assert.equal(code, 1)
      assert.match(stderr, /belongs to the store itself/)
    }
    assert.deepEqual(readFileSync(join(dir, 'berth.db')), before)
  })

  for (const [what, args, words] of [
    ['no path', [], /name the file to write/],
    ['a folder that does not exist', [join(root, 'nowhere', 'backup.db')], /berth backup: /],
  ] as const)
    it(`fails with an error that says why for ${what}`, async () => {
      const dir = folder()
      openStore(dir)[Symbol.dispose]()
      const { code, stderr } = await run(dir, ...args)
      assert.equal(code, 1)
      assert.match(stderr, words)
    })

  it('fails if there is no store, says so, and creates none', async () => {
    const dir = folder()
    const { code, stderr } = await run(dir, join(root, 'none.db'))
    assert.equal(code, 1)
    assert.match(stderr, /berth\.db does not exist/)
    assert.equal(existsSync(join(dir, 'berth.db')), false)
  })

  it('refuses to copy a damaged file', async () => {
    const dir = folder()
    writeFileSync(join(dir, 'berth.db'), 'this is the text of another program\n'.repeat(200))
    const { code, stderr } = await run(dir, join(root, 'damaged.db'))
    assert.equal(code, 1)
    assert.match(stderr, /cannot be read as Berth's records/)
    assert.equal(existsSync(join(root, 'damaged.db')), false)
  })
})
