// A request's body as undici takes it: read only when undici asks, so that nothing is taken from a client in vain.
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { firstValueOf } from '../headers/raw-headers.ts'
import { discardUpload } from './discard-upload.ts'

/** Whether a message head announces a body. Node's parser has checked its length. */
export function hasBody(rawHeaders: readonly string[]): boolean {
  if (firstValueOf(rawHeaders, 'transfer-encoding') !== undefined) return true
  const length = firstValueOf(rawHeaders, 'content-length')
  return length !== undefined && length !== '0'
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
