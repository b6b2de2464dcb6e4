// Who a passed-through request is for, as its director verified it and wrote it into headers.
import type { IncomingHttpHeaders } from 'node:http'
import { passHeaders, personSchema, type Person } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type { Workspaces } from '../../loop/workspaces.ts'
import { localPath } from './local-path.ts'

export interface Caller {
  readonly person: Person
  readonly template: { readonly name: string; readonly title: string }
  /** The one workspace that the route leads to, where it leads to one alone. */
  readonly only: WorkspaceName | undefined
}

/**
 * @throws BerthError `identity_missing`, `identity_invalid`, `bad_request` or `template_unknown`
 */
export function readCaller(headers: IncomingHttpHeaders, workspaces: Workspaces): Caller {
  const person = readPerson(headers)
  const name = decoded(headers, passHeaders.template)
  if (name === undefined) throw new BerthError('bad_request', 'The request names no template.')
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

/** What the route puts before `/.berth/`; empty at the root of a host, and where it cannot be a path. */
export function readBase(headers: IncomingHttpHeaders): string {
  const base = localPath(decoded(headers, passHeaders.base)) ?? ''
  return /^(?:\/[\w.~-]+)+$/.test(base) ? base : ''
}

/** Where the navigation wanted to go; `/` where that is not known or leads elsewhere. */
export function readTarget(headers: IncomingHttpHeaders): string {
  return localPath(decoded(headers, passHeaders.target)) ?? '/'
}

/** The caller's name alone, for pages about a request that has nothing else right. */
export function readUserName(headers: IncomingHttpHeaders): string | undefined {
  try {
    return readPerson(headers).name
  } catch (error) {
    if (error instanceof BerthError) return undefined
    throw error
  }
}

function readPerson(headers: IncomingHttpHeaders): Person {
  const name = decoded(headers, passHeaders.user)
  if (name === undefined || name === '')
    throw new BerthError('identity_missing', 'The request names no person.')
  const email = decoded(headers, passHeaders.email)
  const person = personSchema.safeParse({
    name,
    subject: decoded(headers, passHeaders.subject) ?? '',
    groups: readGroups(headers),
    ...(email === undefined ? {} : { email }),
  })
  if (!person.success)
    throw new BerthError('identity_invalid', 'The name, subject or groups cannot be used.')
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
