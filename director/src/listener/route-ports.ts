// The further listeners that routes need: opened when a route names its port, closed when no route names it any more.
// People reach such a port only through a gateway that is configured to forward to it.
import type { Log } from '@berth/shared/log'

export interface RoutePorts extends AsyncDisposable {
  /** Opens and closes ports until exactly these are open. Resolves when each new one listens or has failed. */
  follow(ports: ReadonlySet<number>): Promise<void>
}

export interface RoutePortsDeps {
  /** Rejects when the port cannot be opened. */
  readonly start: (port: number) => Promise<AsyncDisposable>
  readonly log: Log
}

export function createRoutePorts({ start, log }: RoutePortsDeps): RoutePorts {
  const open = new Map<number, Promise<AsyncDisposable | undefined>>()
  const ending = new Set<Promise<void>>()
  let ended = false

  async function tryStart(port: number): Promise<AsyncDisposable | undefined> {
    try {
      const listener = await start(port)
      log.info({ port }, 'port of a route opened')
      return listener
    } catch (error) {
      // The next snapshot of routes tries again.
      open.delete(port)
      log.error({ port, error }, 'port of a route could not be opened')
      return undefined
    }
  }

  function end(port: number, listener: Promise<AsyncDisposable | undefined>): void {
    open.delete(port)
    const over = listener
      .then(async (it) => {
        await it?.[Symbol.asyncDispose]()
        log.info({ port }, 'port of a route closed')
      })
      .catch((error: unknown) => log.error({ port, error }, 'port of a route did not close'))
      .finally(() => ending.delete(over))
    ending.add(over)
  }

  return {
    async follow(ports) {
      if (ended) return
      for (const [port, listener] of open) if (!ports.has(port)) end(port, listener)
      for (const port of ports) if (!open.has(port)) open.set(port, tryStart(port))
      await Promise.all(open.values())
    },
    async [Symbol.asyncDispose]() {
      ended = true
      for (const [port, listener] of open) end(port, listener)
      await Promise.all(ending)
    },
  }
}
