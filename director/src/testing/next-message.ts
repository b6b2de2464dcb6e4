// Waits for a message of a WebSocket, but not for ever: a test whose message never comes fails soon and says so.
import { once } from 'node:events'
import type { WebSocket } from 'ws'

/** Far longer than any message takes, also while the machine has much else to do. */
const withinMs = 30_000

export async function nextMessage(socket: WebSocket): Promise<[data: Buffer, isBinary: boolean]> {
  const late = AbortSignal.timeout(withinMs)
  try {
    return (await once(socket, 'message', { signal: late })) as [Buffer, boolean]
  } catch (error) {
    if (!late.aborted) throw error
    throw new Error(`no message of the WebSocket within ${withinMs / 1_000} s`, { cause: error })
  }
}
