// One GET of JSON from a workspace, with bounds: no answer of a workspace is trusted.
import type { Address } from '@berth/shared/contract'
import { get, type Response } from './get.ts'

export interface JsonResource {
  readonly address: Address
  readonly workspace: string
  readonly path: string
}

/** Never rejects. @returns `undefined` for every answer but a status 200 with JSON within the bounds */
export type FetchJson = (resource: JsonResource, signal: AbortSignal) => Promise<unknown>

const connectMs = 1_000
const longestBytes = 1024 * 1024

export const fetchJson: FetchJson = (resource, signal) =>
  get({ ...resource, accept: 'application/json', connectMs, signal, read: readJson })

/** @throws for a body that breaks off, is too long or is not JSON */
async function readJson({ statusCode, body }: Response): Promise<unknown> {
  if (statusCode !== 200) return undefined
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > longestBytes) throw new RangeError('the answer is too long')
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString()) as unknown
}
