// Makes volumes writable for the user that the container runs as, or for every user, before its first start.
import { BerthError } from '@berth/shared/problems'
import type { Archive, Owner } from '../containers/archive.ts'
import type { FindUserIds } from '../containers/user-ids.ts'
import type { RefuseOtherUsers } from './other-users.ts'

/** As /tmp: every user may write, and may remove only their own files. */
const openOwner = { uid: 0, gid: 0, mode: 0o1777 }

export interface MountedVolume {
  /** The name of the volume. */
  readonly volume: string
  /** Where it is mounted. */
  readonly path: string
}

export interface WritableVolumes {
  /**
   * Makes the user the owner of the volumes. If the image lacks the path of a mount, the engine gives the volume to
   * root. A volume that belongs to the user already stays as it is, its mode too.
   *
   * @throws BerthError `start_failed` for a user that the image does not have, if a volume keeps another owner, or if
   * a running container uses it as another user
   */
  giveToUser(
    order: {
      readonly container: string
      readonly imageId: string
      readonly user: string
      readonly mounts: readonly MountedVolume[]
    },
    signal: AbortSignal,
  ): Promise<void>
  /**
   * @throws BerthError `start_failed` if links of the image lead two of the paths to one folder: what is written to one of
   * the volumes would be in the other
   */
  refuseSamePlace(
    order: { readonly container: string; readonly paths: readonly string[] },
    signal: AbortSignal,
  ): Promise<void>
  /** Lets every user write to the volumes that are mounted at these paths. */
  openToAll(
    order: { readonly container: string; readonly paths: readonly string[] },
    signal: AbortSignal,
  ): Promise<void>
}

export function createWritableVolumes(deps: {
  archive: Archive
  findUserIds: FindUserIds
  refuseOtherUsers: RefuseOtherUsers
}): WritableVolumes {
  const { archive, findUserIds, refuseOtherUsers } = deps

  /** Checks the result: a volume driver, a file server or a full disk may refuse the new owner without an error. */
  async function setAndCheckOwner(
    container: string,
    path: string,
    owner: Owner,
    signal: AbortSignal,
  ): Promise<void> {
    await archive.setOwner(container, path, owner, signal)
    const present = await archive.ownerOf(container, path, signal)
    if (present?.uid === owner.uid && present.gid === owner.gid) return
    const found =
      present === undefined ? 'does not exist' : `belongs to ${present.uid}:${present.gid}`
    throw new BerthError(
      'start_failed',
      `The volume at ${path} does not accept the owner ${owner.uid}:${owner.gid}, the user of the container: after the change it ${found}.`,
    )
  }

  return {
    async giveToUser({ container, imageId, user, mounts }, signal) {
      if (mounts.length === 0) return
      const { uid, gid } = await findUserIds(container, imageId, user, signal)
      // Root may write everywhere, and an image that starts as root changes the owner of the home itself.
      if (uid === 0) return
      for (const { volume, path: mounted } of mounts) {
        const path = await archive.resolve(container, mounted, signal)
        const owner = await archive.ownerOf(container, path, signal)
        if (owner?.uid === uid) continue
        await refuseOtherUsers({ container, volume, uid }, signal)
        const mode = (owner?.mode ?? 0o755) | 0o700
        await setAndCheckOwner(container, path, { uid, gid, mode }, signal)
      }
    },

    async refuseSamePlace({ container, paths }, signal) {
      const taken = new Map<string, string>()
      for (const path of paths.length > 1 ? paths : []) {
        const place = await archive.resolve(container, path, signal)
        const other = taken.get(place)
        if (other !== undefined)
          throw new BerthError(
            'start_failed',
            `Links of the image lead ${other} and ${path} to the same folder (${place}), and the template has a volume for each: choose another path for one of them.`,
          )
        taken.set(place, path)
      }
    },

    async openToAll({ container, paths }, signal) {
      for (const mounted of paths) {
        const path = await archive.resolve(container, mounted, signal)
        const owner = await archive.ownerOf(container, path, signal)
        if (owner !== undefined && (owner.mode & 0o7777) === openOwner.mode) continue
        await setAndCheckOwner(container, path, openOwner, signal)
      }
    },
  }
}
