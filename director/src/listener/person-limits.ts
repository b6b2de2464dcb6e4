// Bounds the requests and WebSockets that one person has open at once; 0 is no limit.
import type { Person } from '@berth/shared/contract'
import { guestOrigin } from '@berth/shared/guests'

export interface PersonLimits {
  /** @returns a disposable for the end of the request, or the limit that is reached */
  take(who: string, websocket: boolean): Disposable | { readonly limit: number }
}

/** By exact user name. All guests of one address count as one person: each could become any number of guests. */
export function countedAs(person: Person): string {
  return guestOrigin(person) ?? person.name
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
  const counts = new Map<string, Count>()

  return {
    take(who, websocket) {
      const count = counts.get(who) ?? { connections: 0, webSockets: 0 }
      if (maxConnections > 0 && count.connections >= maxConnections)
        return { limit: maxConnections }
      if (websocket && maxWebSockets > 0 && count.webSockets >= maxWebSockets)
        return { limit: maxWebSockets }
      counts.set(who, count)
      count.connections += 1
      if (websocket) count.webSockets += 1
      return {
        [Symbol.dispose]() {
          count.connections -= 1
          if (websocket) count.webSockets -= 1
          if (count.connections === 0) counts.delete(who)
        },
      }
    },
  }
}
