// One spawner of an instance at a time: an exclusive lock on a file in DATA_DIR, held as long as the process lives.
// The kernel releases the lock when the process ends for any reason, also between containers that share the volume.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '@berth/shared/log'

const retryMs = 500
const busy = 5
/** Keeps a reference: Node closes a database that nothing refers to, and that would release the lock. */
const held = new Set<DatabaseSync>()

/**
 * Waits for the lock, and logs once that it waits.
 *
 * @returns the lock; its disposal releases it
 * @throws the reason of the signal if it aborts first
 */
export async function acquireInstanceLock(
  dataDir: string,
  log: Log,
  signal: AbortSignal,
): Promise<Disposable> {
  mkdirSync(dataDir, { recursive: true })
  const file = join(dataDir, 'lock.sqlite')
  let isLogged = false
  for (;;) {
    signal.throwIfAborted()
    const lock = tryLock(file)
    if (lock !== undefined) {
      if (isLogged) log.info({ file }, 'lock acquired')
      return lock
    }
    if (!isLogged)
      log.warn({ file }, 'another spawner of this instance is at work; waiting for it to end')
    isLogged = true
    await sleep(retryMs, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}

function tryLock(file: string): Disposable | undefined {
  const database = new DatabaseSync(file, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) return undefined
    throw error
  }
  held.add(database)
  return {
    [Symbol.dispose]() {
      if (!held.delete(database)) return
      database.exec('ROLLBACK')
      database.close()
    },
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === busy
}
