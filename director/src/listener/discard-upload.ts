// What becomes of an upload that was refused: it is read and thrown away for a while, so that the refusal is heard.
import type { IncomingMessage } from 'node:http'

/** Beyond these the connection ends instead: nobody has to carry a large upload that nobody wants. */
const graceMs = 10_000
const graceBytes = 64 * 1024 * 1024

export function discardUpload(request: IncomingMessage): void {
  if (request.complete || request.destroyed) {
    request.resume()
    return
  }
  const { socket } = request
  let bytes = 0
  const timer = setTimeout(() => socket.destroy(), graceMs)
  timer.unref()
  request.once('close', () => clearTimeout(timer))
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > graceBytes) socket.destroy()
  })
}
