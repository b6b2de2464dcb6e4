import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createHistoryThread, HistoryError } from './history-thread.ts'
import { entriesFor } from '../history/testing/entries.ts'

const root = mkdtempSync(join(tmpdir(), 'berth-history-thread-'))
after(() => rmSync(root, { recursive: true }))
let folders = 0
const folder = (): string => join(root, String(++folders))

describe('the thread of the history', () => {
  it('answers each call with the result of that call', async () => {
    await using store = createHistoryThread(folder())
    const [, page, isMore] = await Promise.all([
      store.append({ entries: entriesFor(3), samples: [] }),
      store.page({ limit: 2 }),
      store.prune(0),
    ])
    assert.equal(page.entries.length, 2)
    assert.equal(isMore, false)
  })

  it('says what is wrong with a file, and uses it as soon as it is mended', async () => {
    const dir = folder()
    mkdirSync(dir)
    const path = join(dir, 'history.db')
    writeFileSync(path, 'no database '.repeat(400))
    await using store = createHistoryThread(dir)
    await assert.rejects(store.page({ limit: 1 }), HistoryError)
    await assert.rejects(store.append({ entries: entriesFor(1), samples: [] }), /not a database/)
    rmSync(path)
    await store.append({ entries: entriesFor(1), samples: [] })
    assert.equal((await store.page({ limit: 9 })).entries.length, 1)
  })

  it('refuses calls beyond those that may wait at once', async () => {
    await using store = createHistoryThread(folder())
    const calls = Array.from({ length: 80 }, () => store.page({ limit: 1 }))
    const ends = await Promise.allSettled(calls)
    assert.equal(ends.filter(({ status }) => status === 'rejected').length, 80 - 64)
    await store.page({ limit: 1 })
  })

  it('hazard: a folder that cannot be written: every call fails, and the process goes on', async () => {
    const dir = folder()
    writeFileSync(dir, 'a file where the folder should be')
    await using store = createHistoryThread(dir)
    await assert.rejects(store.append({ entries: [], samples: [] }), HistoryError)
    await assert.rejects(store.prune(0), HistoryError)
  })
})
