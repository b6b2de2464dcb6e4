// How a refusal or failure is shown: as a plain page to a person, as problem+json to every other client.
import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  createProblem,
  problemMediaType,
  type Problem,
  type ProblemCode,
  type ProblemExtras,
} from '@berth/shared/problems'
import { requestIdHeader } from '@berth/shared/request-id'
import type { Failed } from '../forward/outcome.ts'
import { noticeHeaders, renderNotice, type Notice, type NoticeAction } from './notice-page.ts'

export interface Refusals {
  problem(code: ProblemCode, detail: string, extras?: ProblemExtras): Problem
  /** @param actions further ones on the page @returns bytes of the body */
  toResponse(
    response: ServerResponse,
    problem: Problem,
    asPage: boolean,
    actions?: readonly NoticeAction[],
  ): number
  /** For an upgrade, which has no response object, and for what is no request (without an id). Ends the socket.
   * @returns bytes of the body */
  toSocket(socket: Duplex, problem: Problem, requestId?: string): number
}

const headers = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const

/** RFC 9110, 15.5.6: a 405 names methods. An application may know more of them. */
const allowed = { allow: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS' } as const

const graceMs = 2_000
const retryAfterSeconds = 5
/** Problems that end by themselves: a page reloads itself, and a client is told when to retry. */
const temporary: ReadonlySet<ProblemCode> = new Set([
  'spawner_unreachable',
  'starting',
  'shutting_down',
  'limit_connections',
  'limit_guests',
  'limit_guests_address',
  'limit_total',
  'queue_full',
  'engine_unreachable',
])

/** Another account may be the way out. */
const aboutIdentity: ReadonlySet<ProblemCode> = new Set([
  'identity_missing',
  'identity_invalid',
  'identity_ambiguous',
])

/** What a failed attempt at forwarding is called. */
export function failureDetail({ code, cause }: Pick<Failed, 'code' | 'cause'>): string {
  switch (code) {
    case 'workspace_unreachable':
      return 'The workspace closed the connection before it answered.'
    case 'answer_malformed':
      return `The application answered, but its answer is not valid HTTP. ${cause.message}.`
    case 'workspace_timeout':
      return 'The workspace did not answer in time.'
    case 'bad_request':
      return 'Berth cannot forward this request as it is.'
  }
}

export const tooManyDetail =
  'You have too many requests or connections open at once. Close some pages, or wait until some requests have ended.'

/**
 * @param base the base URL of the pages that explain problems
 * @param signOutUrl where a person signs out, for refusals of an identity
 * @param portalUrl where people see what is offered to them
 */
export function createRefusals(
  base: string | undefined,
  signOutUrl?: string,
  portalUrl?: string,
): Refusals {
  function render(
    problem: Problem,
    asPage: boolean,
    actions: readonly NoticeAction[] = [],
  ): [Record<string, string>, Buffer] {
    const notice = noticeOf(problem, actions, { signOutUrl, portalUrl })
    const body = Buffer.from(asPage ? renderNotice(notice) : JSON.stringify(problem))
    const again = String(retryAfterSeconds)
    const isTemporary = temporary.has(problem.code)
    return [
      {
        ...(asPage ? noticeHeaders(notice.actions) : { 'content-type': problemMediaType }),
        ...headers,
        ...(problem.code === 'method_refused' ? allowed : {}),
        ...(isTemporary ? { 'retry-after': again } : {}),
        ...(isTemporary && asPage ? { refresh: again } : {}),
        'content-length': String(body.length),
      },
      body,
    ]
  }

  return {
    problem: (code, detail, extras) => createProblem(base, code, detail, extras),
    toResponse(response, problem, asPage, actions) {
      const [fields, body] = render(problem, asPage, actions)
      response.writeHead(problem.status, fields)
      response.end(body)
      return body.length
    },
    toSocket(socket, problem, requestId) {
      const [rendered, body] = render(problem, false)
      const fields =
        requestId === undefined ? rendered : { ...rendered, [requestIdHeader]: requestId }
      const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`)
      const reason = STATUS_CODES[problem.status] ?? ''
      const head = `HTTP/1.1 ${problem.status} ${reason}\r\n${lines.join('')}connection: close\r\n\r\n`
      socket.end(Buffer.concat([Buffer.from(head), body]))
      // A client that does not close the connection must not keep it.
      const grace = setTimeout(() => socket.destroy(), graceMs)
      grace.unref()
      socket.once('close', () => clearTimeout(grace))
      socket.resume()
      return body.length
    },
  }
}

function noticeOf(
  { title, detail, code, status }: Problem,
  further: readonly NoticeAction[],
  { signOutUrl, portalUrl }: { signOutUrl: string | undefined; portalUrl: string | undefined },
): Notice {
  const signsOut = aboutIdentity.has(code) && signOutUrl !== undefined
  return {
    title,
    paragraphs: [
      detail,
      ...(temporary.has(code) ? ['This page reloads itself every few seconds.'] : []),
    ],
    actions: [
      ...further,
      { label: 'Try again', href: '' },
      ...(portalUrl === undefined ? [] : [{ label: 'All workspaces', href: `${portalUrl}/` }]),
      ...(signsOut ? [{ label: 'Sign out', href: signOutUrl }] : []),
    ],
    footer: `${status} ${code}`,
  }
}
