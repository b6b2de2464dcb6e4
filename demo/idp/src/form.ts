// Reads a form that a browser posted, up to a maximum size.
import type { IncomingMessage } from 'node:http'

const limitBytes = 16 * 1024

/** @returns `undefined` if it is not a form, is too long or incomplete */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams | undefined> {
  const type = request.headers['content-type'] ?? ''
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return undefined
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > limitBytes) return undefined
      chunks.push(chunk)
    }
  } catch {
    // The client disconnected, so no answer is needed.
    return undefined
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
}
