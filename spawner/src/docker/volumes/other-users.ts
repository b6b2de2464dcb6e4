// Finds the running container that uses a volume as another user. Two users of one volume take its files from each other.
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import type { EngineClient } from '../client/engine-client.ts'
import { inspectContainer } from '../client/inspect.ts'
import { listedName } from '../containers/container-state.ts'
import type { FindUserIds } from '../containers/user-ids.ts'

export interface VolumeUse {
  readonly container: string
  readonly volume: string
  readonly uid: number
}

/**
 * The templates were compared when they were read, but only an image can tell the number of a user by name.
 *
 * @throws BerthError `start_failed` if another container that runs uses the volume as another user
 */
export type RefuseOtherUsers = (use: VolumeUse, signal: AbortSignal) => Promise<void>

export function createRefuseOtherUsers(
  deps: EngineClient & { findUserIds: FindUserIds },
): RefuseOtherUsers {
  const { docker, call, findUserIds } = deps

  async function uidOf({ Id }: Docker.ContainerInfo, signal: AbortSignal): Promise<number> {
    const info = await inspectContainer(deps, Id, { signal })
    // It was removed meanwhile. Root writes everywhere, and changes the owner itself if its image means to.
    if (info === undefined) return 0
    return (await findUserIds(Id, info.Image, info.Config.User, signal)).uid
  }

  return async ({ container, volume, uid }, signal) => {
    if (uid === 0) return
    const filters = { volume: [volume] }
    const running = await call('container-list', { signal }, (abortSignal) =>
      docker.listContainers({ filters, abortSignal }),
    )
    for (const other of running) {
      // The filter also matches the paths of mounts.
      const uses = other.Mounts.some(({ Name, RW }) => Name === volume && RW)
      if (other.Id === container || !uses) continue
      const theirs = await uidOf(other, signal)
      if (theirs === 0 || theirs === uid) continue
      throw new BerthError(
        'start_failed',
        `The volume ${volume} is used by ${listedName(other)}, which runs as user ${theirs}, and this container would run as user ${uid}: each would take the files from the other. Stop ${listedName(other)} first. To run both at once, their templates need different volumes.`,
      )
    }
  }
}
