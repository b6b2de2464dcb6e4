// The connections of all TCP ports: how many there may be, and their end with a workspace or with age.
import type { Socket } from 'node:net'
import { clientOf } from '@berth/shared/networks'
import type { SetTimer } from '@berth/shared/timer'

export interface TcpConnections {
  /** @returns whether there is room for it. It is counted until it closes. */
  add(socket: Socket): boolean
  /** Counts the connection for its client, whose address an edge may have told. @returns whether there is room for it */
  addFrom(socket: Socket, address: string): boolean
  /** The connection leads to that container, and ends with it. */
  leadTo(socket: Socket, generation: string): void
  closeGeneration(generation: string): void
  /** The connection ends at a review at which it may not stay. */
  keepWhile(socket: Socket, mayStay: () => boolean): void
  /** The routes have changed. */
  review(): void
}

export interface TcpConnectionsDeps {
  /** 0 is no limit. */
  readonly most: number
  readonly mostFromOne: number
  /** `CONNECTION_MAX_AGE`; 0 is off. */
  readonly maxAgeMs: number
  readonly setTimer: SetTimer
}

export function createTcpConnections(deps: TcpConnectionsDeps): TcpConnections {
  const { most, mostFromOne, maxAgeMs, setTimer } = deps
  /** The container that each leads to, once it does. */
  const sockets = new Map<Socket, string | undefined>()
  const reviews = new Map<Socket, () => boolean>()
  const fromOne = new Map<string, number>()

  return {
    add(socket) {
      if (most > 0 && sockets.size >= most) return false
      sockets.set(socket, undefined)
      const age = maxAgeMs > 0 ? setTimer(maxAgeMs, () => socket.destroy()) : undefined
      socket.once('close', () => {
        age?.[Symbol.dispose]()
        sockets.delete(socket)
        reviews.delete(socket)
      })
      return true
    },
    addFrom(socket, address) {
      const client = clientOf(address)
      const count = fromOne.get(client) ?? 0
      if (mostFromOne > 0 && count >= mostFromOne) return false
      fromOne.set(client, count + 1)
      socket.once('close', () => {
        const left = (fromOne.get(client) ?? 1) - 1
        if (left > 0) fromOne.set(client, left)
        else fromOne.delete(client)
      })
      return true
    },
    leadTo: (socket, generation) => void sockets.set(socket, generation),
    closeGeneration(ending) {
      for (const [socket, generation] of sockets) if (generation === ending) socket.destroy()
    },
    keepWhile: (socket, mayStay) => void reviews.set(socket, mayStay),
    review() {
      for (const [socket, mayStay] of reviews) if (!mayStay()) socket.destroy()
    },
  }
}
