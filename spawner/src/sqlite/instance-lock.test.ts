import assert from 'node:assert/strict'
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { createLog } from '@berth/shared/log'
import { acquireInstanceLock } from './instance-lock.ts'

const log = createLog({ service: 'test', level: 'silent' })
const never = new AbortController().signal
const dataDir = mkdtempSync(join(tmpdir(), 'berth-lock-'))
after(() => rmSync(dataDir, { recursive: true }))

/** Another process that acquires the lock and keeps it. */
async function holder(dir: string): Promise<ChildProcess> {
  const child = fork(new URL('./testing/instance-lock-holder.ts', import.meta.url), [dir])
  await once(child, 'message')
  return child
}

async function isFree(dir: string): Promise<boolean> {
  const waiting = new AbortController()
  const lock = acquireInstanceLock(dir, log, waiting.signal)
  // The first try is made before the first wait.
  waiting.abort(new Error('not now'))
  try {
    ;(await lock)[Symbol.dispose]()
    return true
  } catch {
    return false
  }
}

describe('the lock of an instance', () => {
  it('is held by one spawner at a time, and can be acquired after its release', async () => {
    const dir = join(dataDir, 'released')
    const first = await acquireInstanceLock(dir, log, never)
    assert.equal(await isFree(dir), false)
    first[Symbol.dispose]()
    assert.equal(await isFree(dir), true)
  })

  it('logs once that a spawner waits for it', async () => {
    const dir = join(dataDir, 'waits')
    const said: string[] = []
    const telling = Object.assign(Object.create(log) as typeof log, {
      warn: (_fields: object, message: string) => said.push(message),
      info: (_fields: object, message: string) => said.push(message),
    })
    const first = await acquireInstanceLock(dir, log, never)
    const second = acquireInstanceLock(dir, telling, never)
    first[Symbol.dispose]()
    ;(await second)[Symbol.dispose]()
    assert.equal(said.length, 2)
    assert.match(said[0] ?? '', /another spawner of this instance is at work/)
  })

  it('is released when its holder is killed', async () => {
    const dir = join(dataDir, 'killed')
    const child = await holder(dir)
    assert.equal(await isFree(dir), false)
    child.kill('SIGKILL')
    await once(child, 'exit')
    assert.equal(await isFree(dir), true)
  })
})
