// One GET from a workspace, on a connection of its own that is closed after it.
import http, { type IncomingMessage } from 'node:http'
import type { Address } from '@berth/shared/contract'

export interface GetOptions<T> {
  readonly address: Address
  /** The workspace's name, for the Host header. */
  readonly workspace: string
  readonly path: string
  readonly accept: string
  readonly connectMs: number
  readonly signal: AbortSignal
  /** Reads what is wanted of the response; the connection is closed when it is done. */
  readonly read: (response: IncomingMessage) => T | Promise<T>
}

/** Never rejects. @returns `undefined` where no response came, or `read` failed */
export function get<T>(options: GetOptions<T>): Promise<T | undefined> {
  const { address, workspace, path, accept, connectMs, signal, read } = options
  if (signal.aborted) return Promise.resolve(undefined)
  const request = begin({
    host: address.host,
    port: address.port,
    path,
    agent: false,
    headers: { host: `${workspace}:${address.port}`, accept, connection: 'close' },
    signal,
  })
  if (request === undefined) return Promise.resolve(undefined)
  const { promise, resolve } = Promise.withResolvers<T | undefined>()
  const connecting = setTimeout(() => request.destroy(), connectMs)
  request.on('error', () => resolve(undefined))
  request.on('close', () => {
    clearTimeout(connecting)
    resolve(undefined)
  })
  request.on('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)))
  const readAll = async (response: IncomingMessage): Promise<T> => await read(response)
  request.on('response', (response) => {
    response.on('error', () => undefined)
    void readAll(response)
      .then(resolve, () => resolve(undefined))
      .finally(() => request.destroy())
  })
  return promise
}

/** Node throws for a path with characters that no request may have. There is no answer then, as from a wrong port. */
function begin(options: http.RequestOptions): http.ClientRequest | undefined {
  try {
    return http.get(options)
  } catch {
    return undefined
  }
}
