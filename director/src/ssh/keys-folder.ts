// The folder with one authorized_keys file for each user name. A file is read at each login: it may have changed.
import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from '@berth/shared/log'
import type { UserName } from '@berth/shared/names'
import { parseAuthorizedKeys, type AuthorizedKeys } from './authorized-keys.ts'
import { keysFileName } from './login-name.ts'

export type ReadKeys = (user: UserName) => Promise<AuthorizedKeys>

const none: AuthorizedKeys = { keys: [], complaints: [] }
const longestFile = 256 * 1024

export function createKeysFolder(deps: {
  /** Absent: nobody has a key. */
  readonly folder: string | undefined
  readonly log: Log
}): ReadKeys {
  const { folder, log } = deps
  return async (user) => {
    const name = keysFileName(user)
    if (folder === undefined || name === undefined) return none
    const path = join(folder, name)
    try {
      const read = parseAuthorizedKeys(await readText(path))
      for (const { line, complaint } of read.complaints)
        log.warn({ path, line }, `line of a keys file ignored: it ${complaint}`)
      return read
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== 'ENOENT') log.warn({ path, error }, 'keys file could not be read')
      return none
    }
  }
}

async function readText(path: string): Promise<string> {
  // A pipe in the folder would hold the login for ever.
  await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const { size } = await file.stat().then((stat) => {
    if (!stat.isFile()) throw new Error('it is no regular file')
    return stat
  })
  if (size > longestFile) throw new Error(`it is longer than ${longestFile} bytes`)
  return file.readFile('utf8')
}
