// The keys that people register for SSH on the portal. A key belongs to an OIDC subject: whoever gets the user name of a
// person who has left does not get their keys.
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import type { UserName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import { fingerprintOf, isKeyType, readPublicKey } from '@berth/shared/public-key'
import type { SignIns } from '../loop/sign-ins.ts'

export interface RegisteredKey {
  readonly user: UserName
  readonly subject: string
  readonly type: string
  /** As it is on the wire, in base64. */
  readonly key: string
  readonly name: string
  /** In milliseconds since 1970, as the next one. */
  readonly addedAt: number
  /** Absent: never. */
  readonly usedAt?: number
}

/** Kept across restarts. */
export interface RegisteredKeyStore {
  keysOf(user: UserName): readonly RegisteredKey[]
  /** Replaces the key if it is there. */
  saveKey(key: RegisteredKey): void
  removeKey(user: UserName, key: string): void
}

export interface RegisteredKeys {
  of(person: Person): readonly RegisteredKey[]
  /**
   * Adds each key of a text like that of an authorized_keys file, or none.
   *
   * @param name for a single key; empty: the comment of the line
   * @returns the keys that are new
   * @throws BerthError `bad_request` or `conflict`
   */
  add(person: Person, text: string, name: string): readonly RegisteredKey[]
  /** @returns the removed key; `undefined` if there is none with this fingerprint */
  remove(person: Person, fingerprint: string): RegisteredKey | undefined
  /**
   * Whether a client with that key may say that it is that user.
   *
   * @param proven the client has signed with the key: it is used
   */
  admits(user: UserName, key: Buffer, proven: boolean): boolean
}

export const mostKeys = 50
export const longestName = 100
/** The last use is saved no more often. */
const precisionMs = 60_000

export function createRegisteredKeys(deps: {
  readonly store: RegisteredKeyStore
  readonly signIns: Pick<SignIns, 'last'>
  readonly clock: Clock
  readonly log: Log
}): RegisteredKeys {
  const { store, signIns, clock, log } = deps
  const of = ({ name, subject }: Pick<Person, 'name' | 'subject'>): readonly RegisteredKey[] =>
    store.keysOf(name).filter((key) => key.subject === subject)

  function noteUse(found: RegisteredKey): void {
    const now = clock.wall()
    if (found.usedAt !== undefined && Math.abs(now - found.usedAt) < precisionMs) return
    try {
      store.saveKey({ ...found, usedAt: now })
    } catch (error) {
      // The client is signed in all the same.
      log.error({ error, user: found.user }, 'use of a key could not be saved')
    }
  }

  return {
    of,
    add(person, text, name) {
      const read = readKeys(text)
      const there = of(person)
      const known = new Set(there.map(({ key }) => key))
      const fresh = read.filter(({ key }) => !known.has(key))
      if (fresh.length === 0) throw new BerthError('conflict', 'You have this key already.')
      if (there.length + fresh.length > mostKeys)
        throw new BerthError('conflict', `You can have ${mostKeys} keys. Remove some first.`)
      const added = fresh.map(({ type, key, comment }): RegisteredKey => {
        const chosen = fresh.length === 1 && name !== '' ? name : comment
        const shown = chosen.slice(0, longestName)
        const { name: user, subject } = person
        return { user, subject, type, key, name: shown, addedAt: clock.wall() }
      })
      for (const key of added) store.saveKey(key)
      return added
    },
    remove(person, fingerprint) {
      const found = of(person).find((key) => shownFingerprint(key) === fingerprint)
      if (found !== undefined) store.removeKey(person.name, found.key)
      return found
    },
    admits(user, key, proven) {
      const person = signIns.last(user)?.person
      const wanted = key.toString('base64')
      const found = person && of(person).find((each) => each.key === wanted)
      if (found !== undefined && proven) noteUse(found)
      return found !== undefined
    },
  }
}

export const shownFingerprint = ({ key }: Pick<RegisteredKey, 'key'>): string =>
  fingerprintOf(Buffer.from(key, 'base64'))

interface ReadKey {
  readonly type: string
  readonly key: string
  readonly comment: string
}

/** @throws BerthError `bad_request` */
function readKeys(text: string): readonly ReadKey[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const keys = lines.filter((line) => line !== '' && !line.startsWith('#')).map(readLine)
  if (keys.length === 0)
    throw new BerthError('bad_request', 'Paste the line of a public key, such as id_ed25519.pub.')
  if (keys.length > mostKeys)
    throw new BerthError('bad_request', `These are more than ${mostKeys} keys.`)
  return [...new Map(keys.map((key) => [key.key, key])).values()]
}

function readLine(line: string): ReadKey {
  if (line.includes('PRIVATE KEY'))
    throw new BerthError(
      'bad_request',
      'This is a private key, which belongs to you alone. Paste the public one: the file that ends in .pub.',
    )
  const [type = '', base64 = '', ...comment] = line.split(/\s+/)
  if (!isKeyType(type))
    throw new BerthError(
      'bad_request',
      `A public key begins with its type, such as ssh-ed25519 or ssh-rsa, and this begins with “${type.slice(0, 40)}”.`,
    )
  const read = readPublicKey(type, base64)
  if (typeof read === 'string')
    throw new BerthError('bad_request', 'The key is damaged: copy the whole line once more.')
  return { type, key: read.blob.toString('base64'), comment: comment.join(' ') }
}
