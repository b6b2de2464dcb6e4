// A request's body for undici. It is read only when undici asks for it, so that no byte is lost when nothing is sent.
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
  /** Detaches from the request and discards the rest of it. */
  discard(graceMs: number): void
}

/**
 * undici destroys a body that it could not send. It gets this stream instead of the request, so that the client's
 * connection stays open and an answer still reaches the client.
 *
 * @param onBytes called for each chunk before it is passed on
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
      // Detached first: a full stream that is not read any more would pause the request again.
      detach()
      discardUpload(request, { ms: graceMs })
    },
  }
}
