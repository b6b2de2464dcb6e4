// Names derived from people: safe user names and workspace names. Injective: two people never get the same name.
import { createHash } from 'node:crypto'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** A user name exactly as signed in: 1 to 256 characters, no control characters. */
export type UserName = Branded<'UserName'>
/** `<prefix>-<user>`: a container's name, its hostname and its name in the engine's DNS. */
export type WorkspaceName = Branded<'WorkspaceName'>
/** The first part of a template's workspace names. */
export type Prefix = Branded<'Prefix'>

const labelLength = 63
const hashLength = 10
const userNameLimit = 256

/** Lower-case letters, digits and single hyphens between them: what may stand in DNS as it is. */
const plain = /^[a-z0-9]+(?:-[a-z0-9]+)*$/
/** C0, C1, line and paragraph separators, and the marks that reorder text: no user name contains these. */
const forbidden = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u

/** @returns `undefined` for a name that is not allowed (empty, too long, control characters, blanks at its ends) */
export function parseUserName(text: string): UserName | undefined {
  if (text === '' || text.length > userNameLimit) return undefined
  if (text !== text.trim() || forbidden.test(text)) return undefined
  return text as UserName
}

/** @returns `undefined` unless the text is `[a-z][a-z0-9]*` of at most 20 characters */
export function parsePrefix(text: string): Prefix | undefined {
  return /^[a-z][a-z0-9]{0,19}$/.test(text) ? (text as Prefix) : undefined
}

/**
 * The safe form of a user name: the name itself if it is a DNS label that fits after the prefix, else a slug, `--` and
 * ten characters of a hash of the exact name. A plain name has no `--`, so the two kinds are never equal. The name of a
 * guest is its own safe form: the first character after `--` is one that no hash has.
 */
export function safeUserName(prefix: Prefix, user: UserName): string {
  const room = labelLength - prefix.length - 1
  if ((plain.test(user) && user.length <= room) || guestShape.test(user)) return user
  const slug = user
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, room - 2 - hashLength)
    .replace(/^-+|-+$/g, '')
  return `${slug === '' ? 'u' : slug}--${shortHash(user)}`
}

const guestPrefix = 'guest--'
const guestShape = /^guest--[0189][a-z2-7]{9}$/

/** Whether the name is one of guests. No person who signs in may have such a name. */
export function isGuestName(name: string): boolean {
  return name.startsWith(guestPrefix)
}

/** `guest--` and ten characters, derived from the subject of the guest. */
export function guestName(subject: string): UserName {
  const hash = shortHash(subject)
  const first = '0189'[alphabet.indexOf(hash.charAt(0)) % 4] ?? '0'
  return `${guestPrefix}${first}${hash.slice(1)}` as UserName
}

/** `<prefix>-<user>`, at most 63 characters. */
export function workspaceName(prefix: Prefix, user: UserName): WorkspaceName {
  return `${prefix}-${safeUserName(prefix, user)}` as WorkspaceName
}

/** The prefix of the template; a prefix has no hyphen. */
export function prefixOf(name: WorkspaceName): Prefix {
  return name.slice(0, name.indexOf('-')) as Prefix
}

/** `<prefix>-shared--<number>`: a workspace that several people share. */
export function sharedName(prefix: Prefix, number: number): WorkspaceName {
  return numberedName(prefix, 'shared', number)
}

/** `<prefix>-open--<number>`: a workspace of a private template that was opened for everybody. */
export function openName(prefix: Prefix, number: number): WorkspaceName {
  return numberedName(prefix, 'open', number)
}

/** @param name of a workspace without an owner */
export function isOpenName(name: WorkspaceName): boolean {
  return /-open--\d+$/.test(name)
}

/** `<prefix>-standby--<number>`: a standby, which has no owner yet. */
export function standbyName(prefix: Prefix, number: number): WorkspaceName {
  return numberedName(prefix, 'standby', number)
}

/**
 * A workspace without an owner has a number that is used once. The safe name of a person has no `--`, or exactly ten
 * characters after it. A number of ten digits gets a leading zero, so that the two kinds of names never collide.
 */
function numberedName(
  prefix: Prefix,
  word: 'shared' | 'open' | 'standby',
  number: number,
): WorkspaceName {
  if (!Number.isSafeInteger(number) || number < 0)
    throw new RangeError(
      `${number} cannot be the number of a workspace: it must be an integer of 0 or more`,
    )
  const digits = String(number)
  const suffix = digits.length === hashLength ? `0${digits}` : digits
  return `${prefix}-${word}--${suffix}` as WorkspaceName
}

/** @returns the number in the name of a workspace without an owner; 0 for a name without one */
export function numberOf(name: WorkspaceName): number {
  return Number(/-(?:shared|open|standby)--(\d+)$/.exec(name)?.[1] ?? 0)
}

/**
 * A second name of a workspace in the engine's DNS, derived from its owner's subject. A director that cannot reach the
 * spawner checks it, so that no person gets the home of another person who had the same name before.
 */
export function ownerAlias(workspace: WorkspaceName, subject: string): string {
  return `owner-${shortHash(`${workspace}\n${subject}`, 32)}`
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** Lower-case base32 of SHA-256: 5 bits a character. */
function shortHash(text: string, length = hashLength): string {
  return Array.from(createHash('sha256').update(text).digest())
    .slice(0, length)
    .map((byte) => alphabet[byte % 32])
    .join('')
}
