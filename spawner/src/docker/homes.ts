// Makes a person's volumes writable for whoever the container runs as, before its first start.
import { BerthError } from '@berth/shared/problems'
import type { Archive } from './archive.ts'
import { needsLookup, resolveUser, type Identity } from './passwd.ts'

export interface Homes {
  /**
   * A volume mounted where the image lacks the path is root's. What belongs to the right user already is left
   * as it is, its mode too.
   *
   * @param paths where the volumes are mounted
   * @throws BerthError `start_failed` for a user that the image does not know
   */
  prepare(
    order: {
      readonly container: string
      readonly imageId: string
      readonly user: string
      readonly paths: readonly string[]
    },
    signal: AbortSignal,
  ): Promise<void>
}

/** Images are immutable, so whom a name means in one is asked once. */
const longestMemory = 256

export function createHomes(archive: Archive): Homes {
  const known = new Map<string, Identity>()

  async function identityOf(
    container: string,
    imageId: string,
    user: string,
    signal: AbortSignal,
  ): Promise<Identity> {
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

  return {
    async prepare({ container, imageId, user, paths }, signal) {
      if (paths.length === 0) return
      const { uid, gid } = await identityOf(container, imageId, user, signal)
      // Root writes everywhere, and an image that starts as root hands the home over by itself.
      if (uid === 0) return
      for (const path of paths) {
        const owner = await archive.ownerOf(container, path, signal)
        if (owner?.uid === uid) continue
        const mode = (owner?.mode ?? 0o755) | 0o700
        await archive.setOwner(container, path, { uid, gid, mode }, signal)
      }
    },
  }
}
