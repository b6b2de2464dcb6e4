// The Docker configuration that is mounted for the spawner, read anew for each pull: logins change.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { credentialsFor, parseDockerConfiguration, type Found } from './registry-credentials.ts'

/** Never rejects: without credentials a pull is tried all the same, and `why` is told when it fails. */
export type FindCredentials = (reference: string) => Promise<Found>

const absent = ['ENOENT', 'ENOTDIR', 'EISDIR']

/** @param path of the folder that holds `config.json`, or of the file */
export function createFindCredentials(path: string): FindCredentials {
  const file = path.endsWith('.json') ? path : join(path, 'config.json')
  return async (reference) => {
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (absent.includes(code)) return { status: 'none' }
      return { status: 'unavailable', why: `It could not be read from ${file} (${code}).` }
    }
    const config = parseDockerConfiguration(text)
    if (config !== undefined) return credentialsFor(config, reference)
    return { status: 'unavailable', why: `${file} is no Docker configuration.` }
  }
}
