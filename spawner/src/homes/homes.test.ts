import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, it } from 'node:test'
import type { HomeFiles, HomeUser } from '../docker/volumes/home-files.ts'
import { openNewArchive, readManifests, unpackedArchive, verifyArchive } from './archive-folder.ts'
import { backUp, stateOf } from './back-up.ts'
import { chosen, wishComplaint, type Wish } from './chosen.ts'
import { parseManifest, targetOf, type Manifest } from './manifest.ts'
import { restore } from './restore.ts'

const { signal } = new AbortController()
const manifest: Manifest = {
  format: 'berth-home',
  version: 1,
  instance: 'berth',
  volume: 'berth-ann-home',
  user: 'ann',
  subject: 's-1',
  takenAt: '2030-01-01T00:00:00.000Z',
  state: 'unused',
  bytes: 1,
  sha256: 'a'.repeat(64),
  unpackedBytes: 512,
}

describe('the choice of homes', () => {
  it('is one person, one volume or all', () => {
    const none: Wish = { person: undefined, volume: undefined, all: false }
    assert.match(wishComplaint(none) ?? '', /name a person/)
    assert.match(wishComplaint({ ...none, person: 'ann', all: true }) ?? '', /name a person/)
    assert.equal(wishComplaint({ ...none, all: true }), undefined)
    const homes = [{ volume: 'c' }, { volume: 'b', user: 'ann' }, { volume: 'a', user: 'ann' }]
    const names = (wish: Partial<Wish>) =>
      chosen(homes, { ...none, ...wish }).map(({ volume }) => volume)
    assert.deepEqual(names({ person: 'ann' }), ['a', 'b'])
    assert.deepEqual(names({ volume: 'c' }), ['c'])
    assert.deepEqual(names({ all: true }), ['a', 'b', 'c'])
  })
  it('becomes the volume of the same person in another instance', () => {
    assert.equal(targetOf(manifest, 'other'), 'other-ann-home')
    assert.equal(targetOf({ ...manifest, volume: 'ann-cache' }, 'other'), 'ann-cache')
  })
  it('tells a manifest from another file', () => {
    assert.deepEqual(parseManifest(JSON.stringify(manifest)), manifest)
    assert.throws(() => parseManifest('{'), /no JSON/)
    assert.throws(() => parseManifest('{"format":"berth-home","version":2}'), /version/)
  })
})

describe('the state of a home while it is copied', () => {
  const user = (isFrozen: boolean): HomeUser => ({ container: 'a', workspace: 'a', isFrozen })
  it('is frozen only if each container was frozen before and after', () => {
    assert.equal(stateOf([], []), 'unused')
    assert.equal(stateOf([user(true)], [user(true)]), 'frozen')
    assert.equal(stateOf([user(true)], [user(false)]), 'running')
    assert.equal(stateOf([], [user(true)]), 'running')
    assert.equal(stateOf([user(false)], []), 'running')
  })
})

describe('the folder of the backups', () => {
  let folder: string
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'homes-'))
  })
  beforeEach(async () => {
    for (const name of await readdir(folder)) await rm(join(folder, name))
  })
  after(() => rm(folder, { recursive: true, force: true }))

  const tar = Buffer.alloc(4096, 'x')
  interface Stub extends HomeFiles {
    readonly written: Buffer[]
  }
  function stub(more: Partial<HomeFiles> = {}): Stub {
    const written: Buffer[] = []
    return {
      written,
      list: () => Promise.resolve([]),
      usersOf: () => Promise.resolve([]),
      exists: () => Promise.resolve(false),
      async read(_, take) {
        await take(
          (async function* () {
            yield await Promise.resolve(tar)
          })(),
        )
        return { changed: false }
      },
      async write(_, source) {
        for await (const chunk of source as AsyncIterable<Buffer>) written.push(chunk)
      },
      sweep: () => Promise.resolve(),
      [Symbol.dispose]: () => undefined,
      ...more,
    }
  }
  const home = { volume: 'berth-ann-home', user: 'ann', subject: 's-1' }
  const hold = () => Promise.resolve(undefined)
  const now = () => new Date(0)
  const backedUp = (files: HomeFiles) =>
    backUp({ files, instance: 'berth', folder, now, hold }, home, signal)
  const wish = { replace: false, into: undefined, subject: undefined }

  it('has an archive and its manifest, and what goes in comes out', async () => {
    await backedUp(stub())
    assert.deepEqual((await readdir(folder)).sort(), [
      'berth-ann-home.json',
      'berth-ann-home.tar.zst',
    ])
    const [written] = await readManifests(folder)
    assert.ok(written)
    assert.deepEqual([written.user, written.subject, written.state], ['ann', 's-1', 'unused'])
    const files = stub()
    const restored = await restore({ files, instance: 'berth', folder }, written, wish, signal)
    assert.deepEqual(restored, home)
    assert.deepEqual(Buffer.concat(files.written), tar)
  })

  it('tells a workspace that the spawner kept frozen from one that was used meanwhile, and ends each hold', async () => {
    const using = { container: 'lab-ann', workspace: 'lab-ann' }
    const copied = async (stayed: boolean | undefined, isFrozen = stayed !== undefined) => {
      let ends = 0
      const end = () => {
        ends += 1
        return Promise.resolve(stayed === true)
      }
      const holding = () => Promise.resolve(stayed === undefined ? undefined : { end })
      const files = stub({ usersOf: () => Promise.resolve([{ ...using, isFrozen }]) })
      const deps = { files, instance: 'berth', folder, now, hold: holding }
      const { state } = await backUp(deps, home, signal)
      return [state, ends > 0]
    }
    assert.deepEqual(await copied(true), ['frozen', true])
    assert.deepEqual(await copied(false), ['running', true])
    assert.deepEqual(await copied(undefined), ['running', false])
    assert.deepEqual(await copied(undefined, true), ['frozen', false])
  })

  it('has nothing under the final name after a copy that failed, and keeps the earlier backup', async () => {
    const broken = stub({
      read: async (_, take) => {
        await take(
          (async function* () {
            yield await Promise.resolve(tar)
            throw new Error('the engine is gone')
          })(),
        )
        return { changed: false }
      },
    })
    await assert.rejects(backedUp(broken), /the engine is gone/)
    assert.deepEqual(await readdir(folder), [])
    await backedUp(stub())
    const before = await readFile(join(folder, 'berth-ann-home.json'), 'utf8')
    await assert.rejects(backedUp(broken), /the engine is gone/)
    assert.equal(await readFile(join(folder, 'berth-ann-home.json'), 'utf8'), before)
    assert.equal((await readdir(folder)).length, 2)
    const cut = stub({
      read: async (_, take) => {
        await take(
          (async function* () {
            yield await Promise.resolve(tar.subarray(0, 700))
          })(),
        )
        return { changed: false }
      },
    })
    await assert.rejects(backedUp(cut), /did not arrive as a whole/)
  })

  it('is refused if the archive was cut, changed or is gone, before anything is written', async () => {
    await backedUp(stub())
    const archive = join(folder, 'berth-ann-home.tar.zst')
    const whole = await readFile(archive)
    const [written] = await readManifests(folder)
    assert.ok(written)
    const files = stub()
    const tried = () => restore({ files, instance: 'berth', folder }, written, wish, signal)
    await truncate(archive, whole.length - 1)
    await assert.rejects(tried(), /was cut or changed/)
    const changed = Buffer.from(whole)
    changed[whole.length - 5] = (changed[whole.length - 5] ?? 0) ^ 1
    await writeFile(archive, changed)
    await assert.rejects(tried(), /was changed: its checksum/)
    await rm(archive)
    await assert.rejects(tried(), /there is no berth-ann-home\.tar\.zst/)
    assert.deepEqual(files.written, [])
    await writeFile(archive, whole)
    await verifyArchive(folder, written, signal)
  })

  it('does not replace a home that exists, is used, or belongs to another subject', async () => {
    await backedUp(stub())
    const [written] = await readManifests(folder)
    assert.ok(written)
    const tried = (more: Partial<HomeFiles>, wished = {}) =>
      restore(
        { files: stub(more), instance: 'berth', folder },
        written,
        { ...wish, ...wished },
        signal,
      )
    const exists = () => Promise.resolve(true)
    await assert.rejects(tried({ exists }), /exists already: with --replace/)
    await tried({ exists }, { replace: true })
    const used = { container: 'lab-ann', workspace: 'lab-ann', isFrozen: true }
    const usersOf = () => Promise.resolve([used])
    await assert.rejects(tried({ exists, usersOf }, { replace: true }), /used by .*lab-ann/)
    const list = () => Promise.resolve([{ volume: 'x', user: 'ann', subject: 's-2' }])
    await assert.rejects(tried({ list }), /another subject: name that one by --subject/)
    assert.equal((await tried({ list }, { subject: 's-2' })).subject, 's-2')
  })

  it('ends with an error if the archive does not unpack', async () => {
    const archive = openNewArchive(folder, 'berth-ann-home')
    await writeFile(join(folder, 'berth-ann-home.tar.zst'), 'no zstd at all')
    const stream = unpackedArchive(folder, manifest)
    await assert.rejects(async () => {
      for await (const chunk of stream) assert.fail(String(chunk))
    })
    await archive[Symbol.asyncDispose]()
  })
})
