// The numeric ids of the user that a container runs as, looked up in the files of its image.
import { BerthError } from '@berth/shared/problems'
import type { Archive } from './archive.ts'
import { needsLookup, resolveUser, type UserIds } from './passwd.ts'

/** @throws BerthError `start_failed` for a user that the image does not know */
export type FindUserIds = (
  container: string,
  imageId: string,
  user: string,
  signal: AbortSignal,
) => Promise<UserIds>

/** An image never changes, so each of its user names is looked up once. */
const maxRemembered = 256

export function createFindUserIds(archive: Archive): FindUserIds {
  const known = new Map<string, UserIds>()

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
    const ids = resolveUser(user, passwd, group)
    if ('unknown' in ids)
      throw new BerthError('start_failed', `The image has no user or group ${ids.unknown}.`)
    if (known.size >= maxRemembered) known.clear()
    known.set(key, ids)
    return ids
  }
}
