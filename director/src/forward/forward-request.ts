// Forwards one HTTP request to a workspace (or to the spawner, for Berth's own paths) and its answer back.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Dispatcher } from 'undici'
import { HttpExchange } from './http-exchange.ts'
import type { ForwardHooks, ForwardOutcome } from './outcome.ts'

export interface ForwardRequest {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** The pool of the workspace's generation. */
  readonly dispatcher: Dispatcher
  /** Path and query, byte for byte: `req.url`. */
  readonly target: string
  /** Scrubbed: raw names and values in turn. */
  readonly headers: string[]
  /** Scrubs the raw headers of the answer. */
  readonly toClient: (rawHeaders: readonly string[]) => string[]
  /** 0 is off. */
  readonly answerTimeoutMs: number
  /** The client waits for `100 Continue`: it comes once a workspace has taken the connection. */
  readonly expectContinue: boolean
  readonly hooks: ForwardHooks
}

/**
 * Never rejects. With `not-sent` the request's body is unread and the response untouched, so that the same request
 * may be forwarded again; with `failed` the response is untouched and what is left of an upload is being discarded.
 */
export function forwardRequest(options: ForwardRequest): Promise<ForwardOutcome> {
  const { req, res, dispatcher, target, headers } = options
  // The response has emitted its close event before anything here listened for it.
  if (res.closed) return Promise.resolve({ kind: 'client-gone', bytesIn: 0, bytesOut: 0 })
  return new Promise((resolve) => {
    const exchange = new HttpExchange({ ...options, finish: resolve })
    const { body } = exchange
    dispatcher.dispatch({ path: target, method: req.method ?? 'GET', headers, body }, exchange)
  })
}
