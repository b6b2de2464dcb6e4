// One GET from a workspace, on a connection of its own that is closed after it, and what it met instead of an answer.
// Answers are read as those that are forwarded: an application whose answers are repaired there must get ready, too.
import type { Address, Finding } from '@berth/shared/contract'
import { Client, errors, type buildConnector } from 'undici'
import { repairFirstAnswer } from '../forward/answer-repair.ts'
import { originOf } from '../forward/connection-pools.ts'
import { createConnector } from '../forward/connector.ts'
import { MalformedAnswer } from '../forward/malformed-answer.ts'

export interface Response {
  readonly statusCode: number
  readonly body: AsyncIterable<Buffer>
}

export interface GetOptions<T> {
  readonly address: Address
  /** The workspace's name, for the Host header. */
  readonly workspace: string
  readonly path: string
  readonly accept: string
  readonly connectMs: number
  readonly signal: AbortSignal
  /** Reads what is wanted of the response; the connection is closed when it is done. */
  readonly read: (response: Response) => T | Promise<T>
}

/** `status` is for the reader of a response: a response that came is a value here. */
export type Got<T> = { readonly value: T } | { readonly finding: Exclude<Finding, 'status'> }

const maxHeaderBytes = 64 * 1024

/** Never rejects. */
export async function get<T>(options: GetOptions<T>): Promise<Got<T>> {
  const { address, workspace, path, accept, connectMs, signal, read } = options
  let isConnected = false
  let hasAnswered = false
  const connect = createConnector(connectMs, (socket) => {
    isConnected = true
    repairFirstAnswer(socket, maxHeaderBytes)
  })
  const client = openClient(address, connect)
  try {
    const headers = { host: `${workspace}:${address.port}`, accept, connection: 'close' }
    const { statusCode, body } = await client.request({ method: 'GET', path, headers, signal })
    body.on('error', () => undefined)
    hasAnswered = true
    return { value: await read({ statusCode, body }) }
  } catch (error) {
    if (hasAnswered) return { finding: signal.aborted ? 'silent' : 'closed' }
    return { finding: findingOf(error, isConnected, signal) }
  } finally {
    void client.destroy()
  }
}

function openClient(address: Address, connect: buildConnector.connector): Client {
  return new Client(originOf(address), {
    connect,
    maxHeaderSize: maxHeaderBytes,
    // The signal is the deadline.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
}

function findingOf(
  error: unknown,
  isConnected: boolean,
  signal: AbortSignal,
): Exclude<Finding, 'status'> {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ECONNREFUSED') return 'refused'
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) return 'no_tls'
  // No request can have the path. There is no answer then, as from a server that says nothing.
  if (code === 'UND_ERR_INVALID_ARG') return 'silent'
  if (!isConnected) return 'unreachable'
  if (error instanceof errors.HeadersOverflowError) return 'oversized'
  if (signal.aborted) return 'silent'
  if (error instanceof MalformedAnswer) return 'not_http'
  if (!(error instanceof errors.HTTPParserError)) return 'closed'
  return beginsTls(error) ? 'tls' : 'not_http'
}

/** The parser quotes what it could not read. A TLS server answers plain HTTP with an alert: record type 21, version 3.x. */
function beginsTls(error: Error): boolean {
  return 'data' in error && String(error.data).startsWith('\u0015\u0003')
}
