// Reads the identity of a request or an upgrade from its headers: exactly one verified identity, or a refusal.
import { longestText, type Person } from '@berth/shared/contract'
import { isGuestName, parseUserName, type UserName } from '@berth/shared/names'
import { valuesOf } from '../headers/raw-headers.ts'
import { refuse, type GatewaySettings, type GatewayProof, type RequestRefusal } from './gateway.ts'
import { createProve } from './prove-gateway.ts'

export interface Identified {
  readonly ok: true
  readonly person: Person
  readonly proof: GatewayProof
}

export type Identify = (rawHeaders: readonly string[]) => Identified | RequestRefusal

// Node gives the bytes of header values as latin1; the gateway writes UTF-8.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const controlCharacter = /\p{Cc}/u
const beyondAscii = /[\x80-\xff]/

export function createIdentify(gateway: GatewaySettings): Identify {
  const prove = createProve(gateway.secret)
  const identityHeader = gateway.identityHeader.toLowerCase()
  const subjectHeader = gateway.subjectHeader.toLowerCase()
  const groupsHeader = gateway.groupsHeader.toLowerCase()
  const emailHeader = gateway.emailHeader.toLowerCase()

  return (rawHeaders) => {
    const proof = prove(rawHeaders)
    if (proof === undefined)
      return refuse(
        'gateway_untrusted',
        'The request did not come through the sign-in gateway. Please open the address of the gateway instead.',
      )

    const names = valuesOf(rawHeaders, identityHeader)
    if (names.length === 0 || (names.length === 1 && names[0] === ''))
      return withoutName(rawHeaders)
    const name = readName(names)
    if (typeof name === 'object') return name
    const subject = readSubject(valuesOf(rawHeaders, subjectHeader))
    if (typeof subject === 'object') return subject
    // A client can make a gateway omit it (`Connection: X-Forwarded-User`). The home of that request would be recorded
    // without a subject, and its owner would be refused as soon as the gateway sends the subject again.
    if (subject === '' && gateway.subjectRequired) return withoutSubject(gateway.subjectHeader)
    const groups = readGroups(valuesOf(rawHeaders, groupsHeader))
    if ('ok' in groups) return groups
    const email = readEmail(valuesOf(rawHeaders, emailHeader))
    if (typeof email === 'object') return email

    const person = { name, subject, groups }
    return { ok: true, person: email === '' ? person : { ...person, email }, proof }
  }

  /**
   * To sign in again would lead here again: the gateway let this person in, and its provider gives no user name. So the
   * refusal is for an administrator.
   */
  function withoutName(rawHeaders: readonly string[]): RequestRefusal {
    const present = [gateway.emailHeader, gateway.subjectHeader].filter((name) =>
      valuesOf(rawHeaders, name.toLowerCase()).some((value) => value !== ''),
    )
    const instead =
      present.length === 0
        ? 'another header of the gateway, such as X-Forwarded-Email'
        : `a header that the gateway did send with this request (${present.join(' or ')})`
    return refuse(
      'identity_missing',
      `The gateway sent no user name: Berth looks for it in the header ${gateway.identityHeader}, which this request does not have. An administrator has to make the identity provider give the claim that the gateway sends in this header (preferred_username), or set IDENTITY_HEADER to ${instead}.`,
    )
  }
}

const withoutSubject = (header: string) =>
  refuse(
    'identity_missing',
    `The gateway sent your user name without your lasting identifier (the subject). An administrator has to make the gateway send it in the header ${header} (SUBJECT_HEADER), or set SUBJECT_REQUIRED=false for a gateway that gives none.`,
  )
const ambiguous = (what: string) =>
  refuse(
    'identity_ambiguous',
    `The gateway sent more than one ${what}. Please tell an administrator.`,
  )
const invalid = (what: string) =>
  refuse(
    'identity_invalid',
    `The gateway sent a ${what} that Berth cannot use. Please tell an administrator.`,
  )

function readName(values: readonly string[]): UserName | RequestRefusal {
  const [value, ...others] = values
  if (others.length > 0) return ambiguous('user name')
  if (value === undefined) return invalid('user name')
  // A gateway or proxy that joins duplicates writes "alice, bob".
  if (value.includes(',')) return ambiguous('user name')
  const text = decode(value)
  // The people who have no sign-in have these names. A person with one would get the workspace of a guest.
  if (text !== undefined && isGuestName(text))
    return refuse(
      'identity_invalid',
      'Your user name begins with "guest--", as only names of guests do. Please tell an administrator.',
    )
  return (text === undefined ? undefined : parseUserName(text)) ?? invalid('user name')
}

function readSubject(values: readonly string[]): string | RequestRefusal {
  const [value = '', ...others] = values
  if (others.length > 0 || value.includes(',')) return ambiguous('subject')
  return readText(value) ?? invalid('subject')
}

function readEmail(values: readonly string[]): string | RequestRefusal {
  const [value = '', ...others] = values
  if (others.length > 0) return ambiguous('e-mail address')
  return readText(value) ?? invalid('e-mail address')
}

function readGroups(values: readonly string[]): string[] | RequestRefusal {
  const [value = '', ...others] = values
  // The director cannot know which of two lists is the gateway's, and groups decide what a person may do.
  if (others.length > 0) return ambiguous('list of groups')
  const text = decode(value)
  if (text === undefined || controlCharacter.test(text)) return invalid('list of groups')
  const groups = text
    .split(',')
    .map((group) => group.trim())
    .filter((group) => group !== '')
  return groups
}

function readText(value: string): string | undefined {
  const text = decode(value)
  if (text === undefined || text.length > longestText || controlCharacter.test(text))
    return undefined
  return text
}

/** @returns `undefined` for bytes that are not UTF-8 */
function decode(value: string): string | undefined {
  if (!beyondAscii.test(value)) return value
  try {
    return decoder.decode(Buffer.from(value, 'latin1'))
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}
