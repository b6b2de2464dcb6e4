// Answers that are difficult for a proxy: late, slow, early, cut off, with unusual headers or without the usual ones.
import { STATUS_CODES } from 'node:http'
import { numberOf, sendText, waitMs, writeTo, type Exchange } from './exchange.ts'

export async function slow({ request, response, query }: Exchange): Promise<void> {
  request.resume()
  if (await waitMs(response, numberOf(query, 'ms', 1_000))) sendText(response, 200, 'at last\n')
}

export async function drip({ response, query }: Exchange): Promise<void> {
  const every = Math.max(1, numberOf(query, 'every', 100))
  const count = Math.max(1, Math.floor(numberOf(query, 'ms', 1_000) / every))
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
  for (let n = 1; n <= count; n += 1) {
    if (!(await waitMs(response, every))) return
    if (!(await writeTo(response, `drop ${n} of ${count}\n`))) return
  }
  response.end()
}

export async function events({ response, query }: Exchange): Promise<void> {
  const every = Math.max(1, numberOf(query, 'every', 1_000))
  const count = numberOf(query, 'count', Number.MAX_SAFE_INTEGER)
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  for (let n = 1; n <= count; n += 1) {
    if (!(await writeTo(response, `event: tick\nid: ${n}\ndata: ${n}\n\n`))) return
    if (!(await waitMs(response, every))) return
  }
  response.end()
}

export function trailers({ response, query }: Exchange): void {
  response.writeHead(200, { trailer: 'hello-trailer', 'content-type': 'text/plain' })
  response.write('the trailer follows\n')
  response.addTrailers({ 'hello-trailer': query.get('value') ?? 'here it is' })
  response.end()
}

export function status({ request, response, rest }: Exchange): void {
  request.resume()
  const code = Number(rest.slice(1))
  if (!Number.isInteger(code) || code < 200 || code > 599) {
    sendText(response, 400, 'a status from 200 to 599, please\n')
    return
  }
  if (code === 204 || code === 304) {
    response.writeHead(code).end()
    return
  }
  sendText(response, code, `${code} ${STATUS_CODES[code] ?? 'unknown'}\n`)
}

/** Answers before it reads the body, and then reads it (`drain`), closes the connection (`close`) or leaves it unread (`leave`). */
export function early({ request, response, query }: Exchange): void {
  const then = query.get('then') ?? 'drain'
  if (then === 'close') {
    response.setHeader('connection', 'close')
    response.on('finish', () => request.socket.destroy())
  }
  sendText(response, numberOf(query, 'status', 200), 'answered before your body was read\n')
  if (then === 'drain') request.resume()
}

/** Announces `n` bytes, sends `after` of them and resets the connection. With `when=before` it sends no byte. */
export async function reset({ request, response, query }: Exchange): Promise<void> {
  request.resume()
  if (query.get('when') !== 'before') {
    const after = numberOf(query, 'after', 16)
    response.writeHead(200, { 'content-length': numberOf(query, 'n', 1024) })
    await new Promise<void>((resolve) => response.write('x'.repeat(after), () => resolve()))
    await waitMs(response, numberOf(query, 'ms', 20))
  }
  request.socket.resetAndDestroy()
}

/** Every query parameter becomes a header of the answer, in order, including repeated ones. */
export function headers({ request, response, query }: Exchange): void {
  request.resume()
  const text = 'look at the headers\n'
  const wanted = [...query].flat()
  response.writeHead(200, ['content-length', String(text.length), ...wanted])
  response.end(text)
}

export async function hints({ request, response, query }: Exchange): Promise<void> {
  request.resume()
  response.writeEarlyHints({ link: query.get('link') ?? '</style.css>; rel=preload; as=style' })
  if (await waitMs(response, numberOf(query, 'ms', 50))) sendText(response, 200, 'after the hint\n')
}

/** The body of a POST, or `?base64=`, is written to the socket as the whole answer, and the socket is closed. */
export async function raw({ request, query }: Exchange): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const given = query.get('base64')
  request.socket.end(given === null ? Buffer.concat(chunks) : Buffer.from(given, 'base64'))
}
