// Sends a body piece by piece, no faster than the client takes it, and ends when the client hangs up.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'

/**
 * @param begin sets the headers, once the first piece is there: what fails before is answered as a problem
 */
export async function sendStream(
  response: Response,
  pieces: AsyncGenerator<string>,
  begin: () => void,
): Promise<void> {
  const first = await pieces.next()
  if (response.destroyed) return
  begin()
  if (response.req.method === 'HEAD') return void response.end()
  const all = async function* (): AsyncGenerator<string> {
    if (first.done !== true) yield first.value
    yield* pieces
  }
  try {
    await pipeline(Readable.from(all()), response)
  } catch (error) {
    // The client hung up, or reading failed in the middle: a body without its end tells the client.
    if (!response.destroyed) response.destroy()
    if (!response.headersSent) throw error
  }
}
