// A template's secrets: files in the container that nothing the engine says about it shows.
import { createHash } from 'node:crypto'
import type { SecretMount } from '../../templates/template.ts'
import type { Archive } from './archive.ts'
import type { IdentityOf } from './user-ids.ts'

/** @returns what changes with each of them and tells none */
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

/** Puts them where only the container's user reads them; again is no harm. */
export function createPutSecrets(deps: {
  archive: Archive
  identityOf: IdentityOf
}): (order: PutSecretsOrder, signal: AbortSignal) => Promise<void> {
  const { archive, identityOf } = deps
  return async ({ container, imageId, user, secrets }, signal) => {
    if (secrets.length === 0) return
    const identity = await identityOf(container, imageId, user, signal)
    // One after the other: they may have folders in common.
    for (const { target, value } of secrets) {
      const owner = { ...identity, mode: 0o400 }
      await archive.putFile(container, target, Buffer.from(value.reveal()), owner, signal)
    }
  }
}
