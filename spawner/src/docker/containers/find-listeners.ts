// Where something in a running container listens, as its own kernel tables tell. Needs `cat` in the image.
import type { Engine } from '../../loop/engine.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault } from '../client/fault.ts'
import { execText } from './exec-text.ts'
import { listenersOf } from './listening-sockets.ts'

export function createFindListeners(client: EngineClient): Engine['listeners'] {
  return async (generation, signal) => {
    const command = ['cat', '/proc/net/tcp', '/proc/net/tcp6']
    try {
      return listenersOf(await execText(client, generation, command, { signal, deadlineMs: 5_000 }))
    } catch (error) {
      // Only an addition to a failure that is known.
      if (isFault(error)) return []
      throw error
    }
  }
}
