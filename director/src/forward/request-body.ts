// A request's body as undici takes it: read only when undici asks, so that nothing is taken from a client in vain.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { discardUpload } from './discard-upload.ts'

/** Whether a message head announces a body. What its length is, Node's parser has made sure of. */
export function hasBody(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length === 17 && name.toLowerCase() === 'transfer-encoding') return true
    if (name.length === 14 && name.toLowerCase() === 'content-length')
      return rawHeaders[i + 1] !== '0'
  }
  return false
}

export interface RequestBody {
  readonly stream: Readable
  /** Lets go of the request and discards the rest of it. */
  discard(graceMs: number): void
}

/**
 * undici destroys the bodies that it could not send. This one stands between, so that the client's connection
 * outlives that and an answer still reaches it.
 *
 * @param onBytes told of each chunk before it is passed on
 */
export function createRequestBody(
  request: IncomingMessage,
  onBytes: (bytes: number) => void,
): RequestBody {
  let attached = false
  const stream = new Readable({
    read() {
      if (!attached) attach()
      request.resume()
    },
    destroy(error, done) {
      detach()
      done(error)
    },
  })

  function onData(chunk: Buffer): void {
    onBytes(chunk.length)
    if (!stream.push(chunk)) request.pause()
  }
  function onEnd(): void {
    stream.push(null)
  }
  function attach(): void {
    attached = true
    request.on('data', onData)
    request.on('end', onEnd)
  }
  function detach(): void {
    request.off('data', onData)
    request.off('end', onEnd)
  }

  return {
    stream,
    discard(graceMs) {
      // First, or a full stream that nobody reads any more would hold the request back again.
      detach()
      discardUpload(request, { ms: graceMs })
    },
  }
}
