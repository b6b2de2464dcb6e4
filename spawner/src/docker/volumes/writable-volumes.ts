// Makes volumes writable for whoever the container runs as, or for everybody, before its first start.
import { BerthError } from '@berth/shared/problems'
import type { Archive, Owner } from '../containers/archive.ts'
import type { IdentityOf } from '../containers/user-ids.ts'

/** As /tmp: everybody writes, and nobody removes what is another's. */
const everybodys = { uid: 0, gid: 0, mode: 0o1777 }

export interface Homes {
  /**
   * A volume mounted where the image lacks the path is root's. What belongs to the right user already is left
   * as it is, its mode too.
   *
   * @param paths where the volumes are mounted
   * @throws BerthError `start_failed` for a user that the image does not know, and where a volume does not take its
   *   new owner
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
  /** Lets everybody write to the volumes at these paths. */
  openToAll(
    order: { readonly container: string; readonly paths: readonly string[] },
    signal: AbortSignal,
  ): Promise<void>
}

export function createHomes(deps: { archive: Archive; identityOf: IdentityOf }): Homes {
  const { archive, identityOf } = deps

  /** A volume driver, a file server or a full disk may refuse the new owner without an error. */
  async function give(
    container: string,
    path: string,
    owner: Owner,
    signal: AbortSignal,
  ): Promise<void> {
    await archive.setOwner(container, path, owner, signal)
    const present = await archive.ownerOf(container, path, signal)
    if (present?.uid === owner.uid && present.gid === owner.gid) return
    const found =
      present === undefined ? 'is not there' : `belongs to ${present.uid}:${present.gid}`
    throw new BerthError(
      'start_failed',
      `The volume at ${path} cannot be given to the user ${owner.uid}:${owner.gid} of the container: after the change it ${found}.`,
    )
  }

  return {
    async prepare({ container, imageId, user, paths }, signal) {
      if (paths.length === 0) return
      const { uid, gid } = await identityOf(container, imageId, user, signal)
      // Root writes everywhere, and an image that starts as root hands the home over by itself.
      if (uid === 0) return
      for (const mounted of paths) {
        const path = await archive.resolve(container, mounted, signal)
        const owner = await archive.ownerOf(container, path, signal)
        if (owner?.uid === uid) continue
        const mode = (owner?.mode ?? 0o755) | 0o700
        await give(container, path, { uid, gid, mode }, signal)
      }
    },

    async openToAll({ container, paths }, signal) {
      for (const mounted of paths) {
        const path = await archive.resolve(container, mounted, signal)
        const owner = await archive.ownerOf(container, path, signal)
        if (owner !== undefined && (owner.mode & 0o7777) === everybodys.mode) continue
        await give(container, path, everybodys, signal)
      }
    },
  }
}
