// A template's secrets: files in the container, whose contents no answer of the engine's API shows.
import { createHash } from 'node:crypto'
import type { SecretMount } from '../../templates/template.ts'
import type { Archive } from './archive.ts'
import type { FindUserIds } from './user-ids.ts'

/** @returns a digest that changes with every secret and reveals none */
export function secretsDigest(secrets: readonly SecretMount[]): string {
  const hash = createHash('sha256')
  for (const { name, target, value } of secrets)
    hash.update(JSON.stringify([name, target, value.reveal()]))
  return hash.digest('hex')
}

export interface PutSecretsOrder {
  readonly container: string
  readonly imageId: string
  readonly user: string
  readonly secrets: readonly SecretMount[]
}

/** Writes files that only the container's user can read. Idempotent. */
export function createPutSecrets(deps: {
  archive: Archive
  findUserIds: FindUserIds
}): (order: PutSecretsOrder, signal: AbortSignal) => Promise<void> {
  const { archive, findUserIds } = deps
  return async ({ container, imageId, user, secrets }, signal) => {
    if (secrets.length === 0) return
    const ids = await findUserIds(container, imageId, user, signal)
    // One after the other: two secrets may need the same new folder.
    for (const { target, value } of secrets) {
      const owner = { ...ids, mode: 0o400 }
      await archive.putFile(container, target, Buffer.from(value.reveal()), owner, signal)
    }
  }
}
