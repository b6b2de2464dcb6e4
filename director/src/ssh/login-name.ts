// The name that a client signs in with: a user name, and after the last `+` a template, if one is chosen. Pure.
import { parseUserName, type UserName } from '@berth/shared/names'

export interface LoginName {
  readonly user: UserName
  readonly template?: string
}

const templateName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/

/** @returns `undefined`: nobody has this name */
export function parseLoginName(text: string): LoginName | undefined {
  const plus = text.lastIndexOf('+')
  const template = text.slice(plus + 1)
  const isChosen = plus > 0 && templateName.test(template)
  const user = parseUserName(isChosen ? text.slice(0, plus) : text)
  if (user === undefined) return undefined
  return isChosen ? { user, template } : { user }
}

/**
 * The file in the folder of keys. The name comes from a client, so it is refused unless it is plainly the name of one file
 * in that folder.
 */
export function keysFileName(user: UserName): string | undefined {
  return /^[^./\\\p{C}][^/\\\p{C}]{0,127}$/u.test(user) ? user : undefined
}
