// Whom a container runs as: the numbers behind the names, by its image's own files.
import { BerthError } from '@berth/shared/problems'
import type { Archive } from './archive.ts'
import { needsLookup, resolveUser, type Identity } from './passwd.ts'

/** @throws BerthError `start_failed` for a user that the image does not know */
export type IdentityOf = (
  container: string,
  imageId: string,
  user: string,
  signal: AbortSignal,
) => Promise<Identity>

/** Images are immutable, so whom a name means in one is asked once. */
const longestMemory = 256

export function createIdentities(archive: Archive): IdentityOf {
  const known = new Map<string, Identity>()

  return async (container, imageId, user, signal) => {
    const key = `${imageId} ${user}`
    const before = known.get(key)
    if (before !== undefined) return before
    const [passwd, group] = needsLookup(user)
      ? await Promise.all([
          archive.readText(container, '/etc/passwd', signal),
          archive.readText(container, '/etc/group', signal),
        ])
      : ['', '']
    const identity = resolveUser(user, passwd, group)
    if ('unknown' in identity)
      throw new BerthError('start_failed', `The image knows no user or group ${identity.unknown}.`)
    if (known.size >= longestMemory) known.clear()
    known.set(key, identity)
    return identity
  }
}
