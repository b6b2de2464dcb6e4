// Writes the head of a workspace's answer as it came: status, reason phrase, and the headers that the scrub left. The id of
// the request is added.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { filterHeaders, firstValueOf } from '../headers/raw-headers.ts'

export interface AnswerHead {
  readonly status: number
  readonly message: string | undefined
  /** Scrubbed; names and values in turn. */
  readonly headers: readonly string[]
  readonly requestId: string
}

const reasonPhrase = /^[\t\x20-\x7e\x80-\xff]*$/

/** @returns whether the answer has a Content-Length */
export function writeAnswerHead(
  req: IncomingMessage,
  res: ServerResponse,
  { status, message = '', headers, requestId }: AnswerHead,
): boolean {
  const sized = firstValueOf(headers, 'content-length') !== undefined
  const bodiless = status === 204 || status === 304 || req.method === 'HEAD'
  // Node throws for an announcement of trailers where no chunks precede them.
  const noTrailers = sized || bodiless || req.httpVersionMinor === 0
  res.sendDate = false
  res.writeHead(status, reasonPhrase.test(message) ? message : '', [
    ...filterHeaders(headers, (name) => !noTrailers || name !== 'trailer'),
    'X-Request-Id',
    requestId,
  ])
  return sized
}
