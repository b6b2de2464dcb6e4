// One GET of JSON from a workspace, with bounds: no answer of a workspace is trusted.
import type { Address, Finding } from '@berth/shared/contract'
import { get, type Response } from './get.ts'

export interface JsonResource {
  readonly address: Address
  readonly workspace: string
  readonly path: string
}

/** Why an answer is no JSON: what the request met, or what came instead. `status` has a status other than 200. */
export interface NoJson {
  readonly finding: Finding | 'not_json'
  readonly status?: number
}

/** Never rejects. `json`: the body of an answer with status 200, within the bounds */
export type FetchJson = (
  resource: JsonResource,
  signal: AbortSignal,
) => Promise<{ readonly json: unknown } | NoJson>

const connectMs = 1_000
const longestBytes = 1024 * 1024

export const fetchJson: FetchJson = async (resource, signal) => {
  const accept = 'application/json'
  const got = await get({ ...resource, accept, connectMs, signal, read: readJson })
  return 'finding' in got ? got : got.value
}

/** @throws for a body that breaks off */
async function readJson({
  statusCode: status,
  body,
}: Response): Promise<{ readonly json: unknown } | NoJson> {
  if (status !== 200) return { finding: 'status', status }
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > longestBytes) return { finding: 'not_json' }
    chunks.push(chunk)
  }
  try {
    return { json: JSON.parse(Buffer.concat(chunks).toString()) as unknown }
  } catch (error) {
    if (error instanceof SyntaxError) return { finding: 'not_json' }
    throw error
  }
}
