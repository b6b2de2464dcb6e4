// /bytes: any number of bytes, in any framing, whole or a range, as fast as the client reads them.
import { createHash } from 'node:crypto'
import { numberOf, sendJson, waitMs, writeTo, type Exchange } from './exchange.ts'
import { patternChunks, patternSha256 } from './pattern.ts'

interface Span {
  readonly start: number
  readonly end: number
}

export async function bytes({ request, response, query }: Exchange): Promise<void> {
  const n = numberOf(query, 'n', 1024)
  if (query.get('as') === 'sha256') {
    sendJson(response, 200, { n, sha256: patternSha256(0, n) })
    return
  }
  const span = parseRange(request.headers.range, n)
  if (span === 'unsatisfiable') {
    response.writeHead(416, { 'content-range': `bytes */${n}`, 'content-length': 0 }).end()
    return
  }
  const whole = { start: 0, end: n }
  const { start, end } = span ?? whole
  const framing = query.get('framing') ?? 'sized'
  response.writeHead(span === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'accept-ranges': 'bytes',
    ...(span === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${n}` }),
    ...framingHeaders(framing, end - start),
  })
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  const hash = framing === 'chunked' ? createHash('sha256') : undefined
  const rate = numberOf(query, 'rate', 0)
  for (const chunk of paced(patternChunks(start, end), rate)) {
    hash?.update(chunk)
    if (!(await writeTo(response, chunk))) return
    if (rate > 0 && !(await waitMs(response, (chunk.length / rate) * 1_000))) return
  }
  if (hash !== undefined) response.addTrailers({ 'hello-sha256': hash.digest('hex') })
  response.end()
}

/** @returns `undefined` for no range, or one that may be ignored (RFC 9110, 14.2) */
export function parseRange(
  header: string | undefined,
  n: number,
): Span | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, n - Number(last)) : Number(first)
  const end = first === '' || last === '' ? n : Math.min(n, Number(last) + 1)
  return start >= end ? 'unsatisfiable' : { start, end }
}

function framingHeaders(framing: string, length: number): Record<string, string | number> {
  if (framing === 'chunked') return { trailer: 'hello-sha256', 'transfer-encoding': 'chunked' }
  // With neither a length nor chunks, the end of the connection is the end of the body.
  if (framing === 'close') return { connection: 'close' }
  return { 'content-length': length }
}

/** Small pieces for slow clients, so that a low rate is a steady flow. */
function* paced(chunks: Iterable<Buffer>, rate: number): Generator<Buffer> {
  const pieceBytes = rate === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.ceil(rate / 10))
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += pieceBytes) {
      yield chunk.subarray(at, Math.min(chunk.length, at + pieceBytes))
    }
  }
}
