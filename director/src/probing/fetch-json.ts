// One GET of JSON from a workspace, on a connection of its own and with bounds: nothing there is trusted.
import http, { type IncomingMessage } from 'node:http'
import type { Address } from '@berth/shared/contract'

export interface JsonPlace {
  readonly address: Address
  /** For the Host header. */
  readonly host: string
  readonly path: string
}

/** Never rejects. @returns `undefined` for anything but a status 200 with JSON within the bounds */
export type FetchJson = (place: JsonPlace, signal: AbortSignal) => Promise<unknown>

const connectMs = 1_000
const longestBytes = 1024 * 1024

export const fetchJson: FetchJson = ({ address, host, path }, signal) => {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  if (signal.aborted) return Promise.resolve(undefined)
  const request = http.get({
    host: address.host,
    port: address.port,
    path,
    agent: false,
    headers: { host, accept: 'application/json', connection: 'close' },
    signal,
  })
  const connecting = setTimeout(() => request.destroy(), connectMs)
  request.on('error', () => resolve(undefined))
  request.on('close', () => {
    clearTimeout(connecting)
    resolve(undefined)
  })
  request.on('socket', (socket) => socket.once('connect', () => clearTimeout(connecting)))
  request.on('response', (response) => {
    readJson(response).then(resolve, () => resolve(undefined))
    response.on('close', () => request.destroy())
  })
  return promise
}

/** @throws for a body that breaks off, is too long or is no JSON */
async function readJson(response: IncomingMessage): Promise<unknown> {
  if (response.statusCode !== 200) {
    response.destroy()
    return undefined
  }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length
    if (bytes > longestBytes) throw new RangeError('the answer is too long')
    chunks.push(chunk as Buffer)
  }
  return JSON.parse(Buffer.concat(chunks).toString()) as unknown
}
