// Forwards one HTTP request to a workspace (or to the spawner, for Berth's own paths) and its answer back.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Pool, type Dispatcher } from 'undici'
import { hasBody } from './request-body.ts'
import { HttpExchange, type ExchangeOutcome } from './http-exchange.ts'
import type { ForwardHooks, ForwardOutcome } from './outcome.ts'
import type { EndAnswer } from './page-end.ts'

export interface ForwardRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The pool of the workspace's generation. */
  readonly dispatcher: Dispatcher
  /** A connection that nothing was sent on yet; without it, nothing is sent a second time. */
  readonly freshConnection?: () => Dispatcher
  /** Path and query, byte for byte: `req.url`. */
  readonly target: string
  /** For the answer. */
  readonly requestId: string
  /** Scrubbed: raw names and values in turn. */
  readonly headers: string[]
  /** Scrubs the raw headers of the answer. */
  readonly toClient: (rawHeaders: readonly string[]) => string[]
  /** What is added to the answer. Only for GET. */
  readonly endAnswer?: EndAnswer | undefined
  /** 0 is off. */
  readonly answerTimeoutMs: number
  /** The client waits for `100 Continue`: it comes once a workspace has taken the connection. */
  readonly expectContinue: boolean
  readonly hooks: ForwardHooks
}

/**
 * Never rejects. With `not-sent` the request's body is unread and the response untouched, so that the same request
 * may be forwarded again; with `failed` the response is untouched and what is left of an upload is being discarded.
 *
 * A server may close a kept connection at the very moment of its next use. An idempotent request without a body, of
 * which no byte of an answer came, is sent again then, once and on a new connection. Every other request goes over a
 * new connection in the first place if the pool would choose a kept one.
 */
export async function forwardRequest(options: ForwardRequest): Promise<ForwardOutcome> {
  const { res, dispatcher, freshConnection } = options
  // The response has emitted its close event before anything here listened for it.
  if (res.closed) return { kind: 'client-gone', bytesIn: 0, bytesOut: 0 }
  const isKept = dispatcher instanceof Pool && dispatcher.stats.free > 0
  if (!isKept || freshConnection === undefined) return await once(dispatcher, options)
  if (!mayBeSentTwice(options.req)) return await once(freshConnection(), options)
  const outcome = await exchangeOn(dispatcher, options, true)
  return outcome.kind === 'unanswered' ? await once(freshConnection(), options) : outcome
}

/** RFC 9110, 9.2.2 */
const idempotentMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PUT',
  'DELETE',
])

/** A body is gone when it has been sent once. */
function mayBeSentTwice({ method = '', rawHeaders }: IncomingMessage): boolean {
  return idempotentMethods.has(method) && !hasBody(rawHeaders)
}

async function once(dispatcher: Dispatcher, options: ForwardRequest): Promise<ForwardOutcome> {
  const outcome = await exchangeOn(dispatcher, options, false)
  return outcome.kind === 'unanswered'
    ? { ...outcome, kind: 'failed', code: 'workspace_unreachable' }
    : outcome
}

function exchangeOn(
  dispatcher: Dispatcher,
  options: ForwardRequest,
  mayRepeat: boolean,
): Promise<ExchangeOutcome> {
  const { req, target, headers } = options
  return new Promise((resolve) => {
    const exchange = new HttpExchange({ ...options, mayRepeat, finish: resolve })
    const { body } = exchange
    dispatcher.dispatch({ path: target, method: req.method ?? 'GET', headers, body }, exchange)
  })
}
