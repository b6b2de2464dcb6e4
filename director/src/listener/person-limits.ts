// Bounds the requests and WebSockets that one person has open at once. Counts by exact user name; 0 is no limit.
import type { UserName } from '@berth/shared/names'

export interface PersonLimits {
  /** @returns a disposable for the end of the request, or the limit that is reached */
  take(user: UserName, websocket: boolean): Disposable | { readonly limit: number }
}

export interface PersonLimitsDeps {
  /** Requests, held ones too, and WebSockets. */
  readonly maxConnections: number
  readonly maxWebSockets: number
}

interface Count {
  connections: number
  webSockets: number
}

export function createPersonLimits({
  maxConnections,
  maxWebSockets,
}: PersonLimitsDeps): PersonLimits {
  const counts = new Map<UserName, Count>()

  return {
    take(user, websocket) {
      const count = counts.get(user) ?? { connections: 0, webSockets: 0 }
      if (maxConnections > 0 && count.connections >= maxConnections)
        return { limit: maxConnections }
      if (websocket && maxWebSockets > 0 && count.webSockets >= maxWebSockets)
        return { limit: maxWebSockets }
      counts.set(user, count)
      count.connections += 1
      if (websocket) count.webSockets += 1
      return {
        [Symbol.dispose]() {
          count.connections -= 1
          if (websocket) count.webSockets -= 1
          if (count.connections === 0) counts.delete(user)
        },
      }
    },
  }
}
