// What well-known identity providers give, as their documentation says: which scopes they accept and which claims they
// have. With IDP_SHAPE the development provider acts like one of them.
import { createHash } from 'node:crypto'
import type { Person } from './people.ts'

export interface Shape {
  /** The scopes that are accepted, each with its claims. */
  readonly scopes: Readonly<Record<string, readonly string[]>>
  /** What becomes of any other scope. */
  readonly otherScopes: 'refused' | 'ignored'
  readonly claimsOf: (person: Person) => Readonly<Record<string, unknown>>
  /** The claims of other scopes than `openid` are at the userinfo endpoint, and not in the id_token. */
  readonly userinfoOnly?: boolean
  /** Discovery names no end_session_endpoint. */
  readonly keepsSession?: boolean
  /** Plain OAuth 2 with GitHub's API: no id_token. */
  readonly github?: boolean
}

export const shapeNames = [
  'demo',
  'keycloak',
  'entra',
  'google',
  'github',
  'gitlab',
  'okta',
  'auth0',
  'authentik',
  'dex',
] as const
export type ShapeName = (typeof shapeNames)[number]

const emailScope = ['email', 'email_verified'] as const
const emailOf = ({ email }: Person) => (email === undefined ? {} : { email, email_verified: true })

export const shapes: Readonly<Record<ShapeName, Shape>> = {
  demo: {
    scopes: {
      openid: ['sub'],
      profile: ['preferred_username', 'name'],
      email: emailScope,
      groups: ['groups'],
    },
    otherScopes: 'ignored',
    claimsOf: (person) => ({
      preferred_username: person.name,
      name: person.name,
      groups: [...person.groups],
      ...emailOf(person),
    }),
  },
  // Groups come from a mapper of the client, without a scope.
  keycloak: {
    scopes: {
      openid: ['sub', 'groups'],
      profile: ['preferred_username', 'name'],
      email: emailScope,
      roles: [],
    },
    otherScopes: 'refused',
    claimsOf: (person) => ({
      preferred_username: person.name,
      name: person.name,
      groups: [...person.groups],
      ...emailOf(person),
    }),
  },
  // Groups are object ids. A user name is the address with which the person signs in, and `email` is a claim that not
  // every account has.
  entra: {
    scopes: {
      openid: ['sub', 'oid', 'groups'],
      profile: ['preferred_username', 'name'],
      email: ['email'],
      offline_access: [],
    },
    otherScopes: 'refused',
    claimsOf: (person) => ({
      oid: uuidOf(person.subject),
      preferred_username: `${person.name}@example.test`,
      name: person.name,
      groups: person.groups.map(uuidOf),
    }),
  },
  google: {
    scopes: { openid: ['sub'], profile: ['name', 'picture'], email: [...emailScope, 'hd'] },
    otherScopes: 'refused',
    claimsOf: (person) => ({ name: person.name, hd: 'example.test', ...emailOf(person) }),
    keepsSession: true,
  },
  github: {
    scopes: { 'user:email': [], 'read:org': [] },
    otherScopes: 'ignored',
    claimsOf: () => ({}),
    keepsSession: true,
    github: true,
  },
  gitlab: {
    scopes: {
      openid: ['sub', 'groups_direct'],
      profile: ['preferred_username', 'nickname', 'name', 'groups'],
      email: emailScope,
      read_user: [],
    },
    otherScopes: 'refused',
    claimsOf: (person) => ({
      preferred_username: person.name,
      nickname: person.name,
      name: person.name,
      groups: [...person.groups],
      groups_direct: [...person.groups],
      ...emailOf(person),
    }),
    userinfoOnly: true,
    keepsSession: true,
  },
  okta: {
    scopes: {
      openid: ['sub'],
      profile: ['preferred_username', 'name'],
      email: emailScope,
      groups: ['groups'],
    },
    otherScopes: 'refused',
    claimsOf: (person) => ({
      preferred_username: `${person.name}@example.test`,
      name: person.name,
      groups: ['Everyone', ...person.groups],
      ...emailOf(person),
    }),
  },
  // There is no preferred_username, and a claim of one's own needs a name that is a URL.
  auth0: {
    scopes: {
      openid: ['sub', 'https://berth.example.com/groups'],
      profile: ['nickname', 'name'],
      email: emailScope,
    },
    otherScopes: 'ignored',
    claimsOf: (person) => ({
      nickname: person.name,
      name: person.name,
      'https://berth.example.com/groups': [...person.groups],
      ...emailOf(person),
    }),
  },
  // Since 2025.10 no address counts as verified.
  authentik: {
    scopes: {
      openid: ['sub'],
      profile: ['preferred_username', 'nickname', 'name', 'groups'],
      email: emailScope,
    },
    otherScopes: 'ignored',
    claimsOf: (person) => ({
      preferred_username: person.name,
      nickname: person.name,
      name: person.name,
      groups: [...person.groups],
      ...emailOf(person),
      email_verified: false,
    }),
  },
  // With a connector that gives no preferred_username: SAML, or Dex's own passwords.
  dex: {
    scopes: {
      openid: ['sub'],
      profile: ['name'],
      email: emailScope,
      groups: ['groups'],
      'federated:id': [],
      offline_access: [],
    },
    otherScopes: 'refused',
    claimsOf: (person) => ({
      name: person.name,
      groups: [...person.groups],
      ...emailOf(person),
    }),
    keepsSession: true,
  },
}

/** Always the same for the same text. */
export function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20, 32),
  ].join('-')
}
