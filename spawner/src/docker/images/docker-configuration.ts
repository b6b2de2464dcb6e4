// The Docker configuration that is mounted for the spawner. It is read for each pull, because logins change.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  credentialsFor,
  parseDockerConfiguration,
  type CredentialsResult,
} from './registry-credentials.ts'

/** Never rejects: a pull is also tried without credentials, and its failure tells why there are none. */
export type FindCredentials = (reference: string) => Promise<CredentialsResult>

const absent = ['ENOENT', 'ENOTDIR', 'EISDIR']

/** @param path the folder that holds `config.json`, or the file */
export function createFindCredentials(path: string): FindCredentials {
  const file = path.endsWith('.json') ? path : join(path, 'config.json')
  return async (reference) => {
    let text: string
    try {
      text = await readFile(file, 'utf8')
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : ''
      if (absent.includes(code)) return { status: 'none' }
      return { status: 'unavailable', why: `${file} could not be read (${code}).` }
    }
    const config = parseDockerConfiguration(text)
    if (config !== undefined) return credentialsFor(config, reference)
    return { status: 'unavailable', why: `${file} is not a Docker configuration.` }
  }
}
