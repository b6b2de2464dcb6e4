// Sends bytes on a socket and returns the answer, for requests that no HTTP client would send.
import { DeadlineError } from '../run/deadline.ts'
import { connectTo, type Place } from './place.ts'

export interface RawAnswer {
  /** 0: the connection ended without an answer. */
  readonly status: number
  readonly head: string
  readonly body: string
  /** The number of received bytes. */
  readonly received: number
}

/** Sends the bytes, and reads until the answer is complete or the other side closes. */
export async function sendRaw(
  place: Place,
  bytes: string | Buffer,
  withinMs = 20_000,
): Promise<RawAnswer> {
  const done = Promise.withResolvers<void>()
  const chunks: Buffer[] = []
  const socket = connectTo(place)
  const timer = setTimeout(
    () => done.reject(new DeadlineError('an answer to raw bytes', withinMs)),
    withinMs,
  )
  socket.on('error', () => done.resolve())
  socket.on('close', () => done.resolve())
  socket.on('data', (chunk) => {
    chunks.push(chunk)
    if (isWhole(Buffer.concat(chunks).toString('latin1'))) done.resolve()
  })
  socket.write(bytes)
  try {
    await done.promise
  } finally {
    clearTimeout(timer)
    socket.destroy()
  }
  return parse(Buffer.concat(chunks))
}

/** The lines of a request head, and its body. */
export function requestBytes(lines: readonly string[], body = ''): Buffer {
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`, 'latin1')
}

function isWhole(text: string): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const head = text.slice(0, end)
  if (/^HTTP\/1\.1 101 /.test(head)) return true
  const length = /^content-length: *(\d+)/im.exec(head)?.[1]
  if (length !== undefined) return text.length >= end + 4 + Number(length)
  return /^transfer-encoding: *chunked/im.test(head) && text.endsWith('0\r\n\r\n')
}

function parse(bytes: Buffer): RawAnswer {
  const text = bytes.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  const head = end === -1 ? text : text.slice(0, end)
  const body = end === -1 ? '' : text.slice(end + 4)
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0)
  return { status, head, body, received: bytes.length }
}
