// Who can sign in: the demo's people, and more from IDP_PEOPLE. Nothing here is secret.
import { createHash } from 'node:crypto'

export interface Person {
  /** The name for the sign-in form. */
  readonly login: string
  readonly password: string
  /** The claim `preferred_username`. */
  readonly name: string
  /** The claim `sub`. */
  readonly subject: string
  readonly groups: readonly string[]
  /** Without it, the token has no claim `email`. */
  readonly email: string | undefined
}

export interface People {
  readonly all: readonly Person[]
  /** The person, if login and password are right. */
  signIn(login: string, password: string): Person | undefined
  bySubject(subject: string): Person | undefined
}

export const demoPeople: readonly Person[] = [
  person('alice', {}),
  person('bob', {}),
  person('carol', {}),
  person('admin', { groups: ['staff', 'admins'] }),
]

/** A later person with the same login replaces the earlier one. */
export function createPeople(people: readonly Person[]): People {
  const byLogin = new Map(people.map((one) => [one.login, one]))
  const all = [...byLogin.values()]
  const bySubject = new Map(all.map((one) => [one.subject, one]))
  return {
    all,
    signIn(login, password) {
      const found = byLogin.get(login)
      return found?.password === password ? found : undefined
    },
    bySubject: (subject) => bySubject.get(subject),
  }
}

/**
 * Reads `dora, Jack.O'Neil, alice2;name=alice;sub=u-2;groups=staff+admins;email=;password=x`.
 * A backslash escapes the next character (`Smith\, Jane`).
 *
 * @returns `undefined` if the text is not such a list
 */
export function parsePeople(text: string): readonly Person[] | undefined {
  const people: Person[] = []
  for (const entry of splitUnescaped(text, ',')) {
    if (entry.trim() === '') continue
    const parsed = parsePerson(entry)
    if (parsed === undefined) return undefined
    people.push(parsed)
  }
  return people
}

interface Overrides {
  readonly name?: string
  readonly subject?: string
  readonly password?: string
  readonly groups?: readonly string[]
  readonly email?: string
}

function person(login: string, overrides: Overrides): Person {
  const name = overrides.name ?? login
  const email = overrides.email ?? emailOf(login)
  return {
    login,
    password: overrides.password ?? login,
    name,
    subject: overrides.subject ?? `u-${login}`,
    groups: overrides.groups ?? ['staff'],
    email: email === '' ? undefined : email,
  }
}

function parsePerson(entry: string): Person | undefined {
  const [first = '', ...options] = splitUnescaped(entry, ';')
  const login = unescape(first.trim())
  if (login === '' || hasControlCharacter(login)) return undefined
  let overrides: Overrides = {}
  for (const option of options) {
    const change = parseOption(option)
    if (change === undefined) return undefined
    overrides = { ...overrides, ...change }
  }
  return person(login, overrides)
}

function parseOption(option: string): Overrides | undefined {
  const equals = option.indexOf('=')
  if (equals === -1) return undefined
  const key = option.slice(0, equals).trim()
  const value = unescape(option.slice(equals + 1).trim())
  if (hasControlCharacter(value)) return undefined
  if (key === 'email') return { email: value }
  if (key === 'groups') return { groups: value.split('+').filter((group) => group !== '') }
  if (value === '') return undefined
  if (key === 'name') return { name: value }
  if (key === 'sub') return { subject: value }
  if (key === 'password') return { password: value }
  return undefined
}

/** Most names are valid mailboxes. The others get one from a hash, so that no two are the same. */
function emailOf(login: string): string {
  const mailbox = /^[\w'+-]+(\.[\w'+-]+)*$/.test(login) && login.length <= 64
  const local = mailbox ? login : createHash('sha256').update(login).digest('hex').slice(0, 16)
  return `${local}@example.test`
}

function splitUnescaped(text: string, separator: string): string[] {
  const parts: string[] = []
  let current = ''
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at)
    if (character === '\\') {
      current += text.slice(at, at + 2)
      at += 1
      continue
    }
    if (character === separator) {
      parts.push(current)
      current = ''
      continue
    }
    current += character
  }
  return [...parts, current]
}

function unescape(text: string): string {
  return text.replaceAll(/\\(.)/gsu, '$1')
}

function hasControlCharacter(text: string): boolean {
  return /\p{Cc}/u.test(text)
}
