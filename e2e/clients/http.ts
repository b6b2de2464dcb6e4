// Sends one HTTP request to the given place, with the host of its URL. It follows no redirect, and has no cookies and no retries.
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as requestSecurely } from 'node:https'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isSecure, type Place } from './place.ts'

export interface Question {
  readonly url: URL
  readonly place: Place
  readonly method?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Uint8Array | Readable
  /** The deadline for the head of the answer, and again for its body when `text` or `json` reads it. */
  readonly withinMs?: number
  readonly signal?: AbortSignal
  /** The target of the request line, if the URL would change it. */
  readonly target?: string
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly setCookies: readonly string[]
  readonly stream: IncomingMessage
  text(): Promise<string>
  json<T>(): Promise<T>
  bytes(): Promise<Buffer>
  /** Ends the connection without reading on. */
  leave(): void
}

const usualWaitMs = 60_000

export async function send(question: Question): Promise<Answer> {
  const { url, place, method = 'GET', headers = {}, body, withinMs = usualWaitMs } = question
  const label = `${method} ${url.host}${question.target ?? url.pathname + url.search}`
  const late = new AbortController()
  const timer = setTimeout(
    () => late.abort(new Error(`${label}: no answer within ${withinMs / 1000} s`)),
    withinMs,
  )
  const signal = AbortSignal.any([late.signal, ...(question.signal ? [question.signal] : [])])
  const answered = Promise.withResolvers<IncomingMessage>()
  const call = (isSecure(place) ? requestSecurely : request)({
    ...place,
    method,
    path: question.target ?? url.pathname + url.search,
    headers: { host: url.host, ...mutable(headers) },
    agent: false,
    signal,
    maxHeaderSize: 256 * 1024,
  })
  call.on('error', (error) => {
    const reason: unknown = signal.aborted ? signal.reason : error
    answered.reject(new Error(`${label}: ${String(reason)}`, { cause: error }))
  })
  call.on('response', answered.resolve)
  if (body instanceof Readable) {
    // The answer shows whether the request succeeded. An early answer may end the upload.
    pipeline(body, call).catch((error: unknown) => body.destroy(error as Error))
  } else {
    call.end(body)
  }
  try {
    return answerOf(await answered.promise, label, withinMs)
  } finally {
    clearTimeout(timer)
  }
}

function mutable(headers: NonNullable<Question['headers']>): Record<string, string | string[]> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : [...value],
    ]),
  )
}

function answerOf(stream: IncomingMessage, label: string, withinMs: number): Answer {
  async function bytes(): Promise<Buffer> {
    const timer = setTimeout(
      () => stream.destroy(new Error(`${label}: the body took longer than ${withinMs / 1000} s`)),
      withinMs,
    )
    const chunks: Buffer[] = []
    try {
      for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
    } finally {
      clearTimeout(timer)
    }
    return Buffer.concat(chunks)
  }
  const text = async (): Promise<string> => (await bytes()).toString('utf8')
  // Without a listener, an error of the stream would end the process.
  stream.on('error', () => stream.destroy())
  return {
    status: stream.statusCode ?? 0,
    headers: stream.headers,
    setCookies: stream.headers['set-cookie'] ?? [],
    stream,
    bytes,
    text,
    async json<T>() {
      const body = await text()
      try {
        return JSON.parse(body) as T
      } catch (error) {
        throw new Error(`${label}: ${stream.statusCode} is no JSON: ${body.slice(0, 300)}`, {
          cause: error,
        })
      }
    },
    leave: () => stream.destroy(),
  }
}
