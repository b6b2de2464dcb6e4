// Resolves `user` or `user:group` by an image's /etc/passwd and /etc/group, in the same way as the engine. Pure.

export interface UserIds {
  readonly uid: number
  readonly gid: number
}

/**
 * @param user as in Docker: empty is root; `1000`, `1000:100`, `node`, `node:staff`
 * @param passwd the text of /etc/passwd, empty if the image has none
 * @returns the ids, or the user or group that the image does not have
 */
export function resolveUser(
  user: string,
  passwd: string,
  group: string,
): UserIds | { readonly unknown: string } {
  const [name = '', groupName = ''] = user.split(':')
  // A number is an id, also for an image that has a user or a group of that name.
  const id = name === '' ? 0 : numberOf(name)
  const person = records(passwd).find(([known, , uid]) =>
    id === undefined ? known === name : numberOf(uid) === id,
  )
  const uid = id ?? numberOf(person?.[2])
  if (uid === undefined) return { unknown: name }
  if (groupName === '') return { uid, gid: numberOf(person?.[3]) ?? 0 }
  const gid =
    numberOf(groupName) ?? numberOf(records(group).find(([known]) => known === groupName)?.[2])
  return gid === undefined ? { unknown: groupName } : { uid, gid }
}

/** Whether the image's files are needed to resolve this user. */
export function needsLookup(user: string): boolean {
  const [name = '', group] = user.split(':')
  if (name === '' || name === '0') return group !== undefined && numberOf(group) === undefined
  return numberOf(name) === undefined || group === undefined || numberOf(group) === undefined
}

function records(file: string): string[][] {
  return file.split('\n').map((line) => line.split(':'))
}

function numberOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : undefined
}
