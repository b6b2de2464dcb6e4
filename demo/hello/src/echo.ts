// /echo and /sha256: report the request exactly, without buffering the body.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { numberOf, sendJson, type Exchange } from './exchange.ts'

interface Digest {
  readonly length: number
  readonly sha256: string
}

export async function echo({ request, response, query }: Exchange): Promise<void> {
  const body = await digest(request, numberOf(query, 'rate', 0))
  sendJson(response, numberOf(query, 'status', 200), {
    ...describe(request),
    body,
    trailers: pairs(request.rawTrailers),
  })
}

export async function sha256({ request, response, query }: Exchange): Promise<void> {
  sendJson(response, 200, await digest(request, numberOf(query, 'rate', 0)))
}

/** The request line and the headers in their order. Header bytes are decoded as Latin-1. */
export function describe(request: IncomingMessage): Record<string, unknown> {
  return {
    method: request.method,
    target: request.url,
    httpVersion: request.httpVersion,
    headers: pairs(request.rawHeaders),
  }
}

/** @param rate bytes a second to read at most; 0 is no limit */
async function digest(request: IncomingMessage, rate: number): Promise<Digest> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    hash.update(chunk)
    length += chunk.length
    if (rate > 0) await sleep((chunk.length / rate) * 1_000)
  }
  return { length, sha256: hash.digest('hex') }
}

function pairs(raw: readonly string[]): [string, string][] {
  const result: [string, string][] = []
  for (let at = 0; at + 1 < raw.length; at += 2) result.push([raw[at] ?? '', raw[at + 1] ?? ''])
  return result
}
