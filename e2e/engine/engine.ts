// One Docker Engine over its socket: plain HTTP, each call with a deadline. This module does not interpret the answers.
import { request, type IncomingMessage } from 'node:http'

export const defaultSocket = '/var/run/docker.sock'
const deadlineMs = 60_000

class EngineError extends Error {
  readonly status: number

  constructor(call: string, status: number, text: string) {
    super(`${call}: ${status} ${text.trim()}`)
    this.name = 'EngineError'
    this.status = status
  }
}

export type Query = Readonly<Record<string, string | number | boolean | object>>

export interface Engine {
  readonly socketPath: string
  get<T>(path: string, query?: Query): Promise<T>
  /** @returns `undefined` if it does not exist */
  find<T>(path: string, query?: Query): Promise<T | undefined>
  post<T>(path: string, query?: Query, body?: object): Promise<T>
  /** Succeeds if it does not exist any more. */
  remove(path: string, query?: Query): Promise<void>
  text(path: string, query?: Query): Promise<Buffer>
  /** No deadline: the caller's signal ends it. */
  stream(path: string, query: Query, signal: AbortSignal): Promise<IncomingMessage>
}

export function createEngine(socketPath: string): Engine {
  async function open(
    method: string,
    path: string,
    query: Query,
    signal: AbortSignal,
    body?: object,
  ): Promise<IncomingMessage> {
    const answered = Promise.withResolvers<IncomingMessage>()
    const call = request({
      socketPath,
      method,
      path: `/v1.43${path}${queryText(query)}`,
      signal,
      agent: false,
      headers: { host: 'docker', 'content-type': 'application/json' },
    })
    call.on('error', answered.reject).on('response', answered.resolve)
    call.end(body === undefined ? undefined : JSON.stringify(body))
    const answer = await answered.promise
    const status = answer.statusCode ?? 0
    if (status < 400) return answer
    throw new EngineError(`${method} ${path}`, status, (await readAll(answer)).toString('utf8'))
  }

  async function whole(method: string, path: string, query: Query = {}, body?: object) {
    return readAll(await open(method, path, query, AbortSignal.timeout(deadlineMs), body))
  }

  async function json<T>(method: string, path: string, query?: Query, body?: object): Promise<T> {
    const text = (await whole(method, path, query, body)).toString('utf8')
    return (text === '' ? undefined : JSON.parse(text)) as T
  }

  return {
    socketPath,
    get: (path, query) => json('GET', path, query),
    find: (path, query) => unlessGone(json('GET', path, query)),
    post: (path, query, body) => json('POST', path, query, body),
    remove: async (path, query) => {
      await unlessGone(whole('DELETE', path, query))
    },
    text: (path, query) => whole('GET', path, query),
    stream: (path, query, signal) => open('GET', path, query, signal),
  }
}

async function unlessGone<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof EngineError && error.status === 404) return undefined
    throw error
  }
}

function queryText(query: Query): string {
  const pairs = Object.entries(query).map(([name, value]): [string, string] => [
    name,
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  ])
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs).toString()}`
}

async function readAll(answer: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
