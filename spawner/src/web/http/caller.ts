// Reads the person and the template of a request from the headers that the director has verified and set.
import type { IncomingHttpHeaders } from 'node:http'
import { passHeaders, personSchema, type Person } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type { Workspaces } from '../../loop/workspaces.ts'
import { localPath } from './local-path.ts'

export interface Caller {
  readonly person: Person
  readonly template: { readonly name: string; readonly title: string }
  /** The workspace of a route that leads to one workspace only. */
  readonly only: WorkspaceName | undefined
}

/**
 * @throws BerthError `identity_missing`, `identity_invalid`, `bad_request` or `template_unknown`
 */
export function readCaller(headers: IncomingHttpHeaders, workspaces: Workspaces): Caller {
  const person = readPerson(headers)
  const name = decoded(headers, passHeaders.template)
  if (name === undefined)
    throw new BerthError('bad_request', 'The request does not name a template.')
  const template = workspaces.templateNamed(name)
  if (template === undefined)
    throw new BerthError('template_unknown', 'Nothing is offered at this address.')
  const only = decoded(headers, passHeaders.workspace)
  return {
    person,
    template,
    only: only === undefined || only === '' ? undefined : (only as WorkspaceName),
  }
}

/** The path of the route before `/.berth/`. Empty at the root of a host, and if the header is not a valid path. */
export function readBase(headers: IncomingHttpHeaders): string {
  const base = localPath(decoded(headers, passHeaders.base)) ?? ''
  return /^(?:\/[\w.~-]+)+$/.test(base) ? base : ''
}

/** The target of the navigation. `/` if the target is unknown or leads to another origin. */
export function readTarget(headers: IncomingHttpHeaders): string {
  return localPath(decoded(headers, passHeaders.target)) ?? '/'
}

/** Whether a page loaded itself again, and no person waits for it. */
export function isUnattended(headers: IncomingHttpHeaders): boolean {
  return headers[passHeaders.unattended.toLowerCase()] === 'true'
}

/** The name of the caller only, for the error page of a request whose other headers may be invalid. */
export function readUserName(headers: IncomingHttpHeaders): string | undefined {
  return findPerson(headers)?.name
}

/** `undefined`: the request names no person, or a header is invalid. */
export function findPerson(headers: IncomingHttpHeaders): Person | undefined {
  try {
    return readPerson(headers)
  } catch (error) {
    if (error instanceof BerthError) return undefined
    throw error
  }
}

/** @throws BerthError `identity_missing`, `identity_invalid` or `bad_request` */
export function readPerson(headers: IncomingHttpHeaders): Person {
  const name = decoded(headers, passHeaders.user)
  if (name === undefined || name === '')
    throw new BerthError('identity_missing', 'The request does not name a person.')
  const email = decoded(headers, passHeaders.email)
  const person = personSchema.safeParse({
    name,
    subject: decoded(headers, passHeaders.subject) ?? '',
    groups: readGroups(headers),
    ...(email === undefined ? {} : { email }),
  })
  if (!person.success)
    throw new BerthError(
      'identity_invalid',
      'The user name, the subject or the groups of the person are not valid.',
    )
  return person.data
}

function readGroups(headers: IncomingHttpHeaders): readonly string[] {
  const text = headers[passHeaders.groups.toLowerCase()]
  if (typeof text !== 'string') return []
  return text
    .split(',')
    .map((group) => decodePercent(group.trim()))
    .filter((group) => group !== '')
}

function decoded(headers: IncomingHttpHeaders, name: string): string | undefined {
  const text = headers[name.toLowerCase()]
  return typeof text === 'string' ? decodePercent(text) : undefined
}

function decodePercent(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch (error) {
    throw new BerthError('bad_request', 'A header is not percent-encoded.', { cause: error })
  }
}
