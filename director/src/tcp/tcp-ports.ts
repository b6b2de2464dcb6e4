// The ports of templates that are reached by TCP: opened when a route names one that is in TCP_PORTS, closed when none does.
import { createServer, type Socket } from 'node:net'
import type { Route, TcpRoute } from '@berth/shared/contract'
import { listen } from '@berth/shared/listen'
import type { Log } from '@berth/shared/log'
import type { PortRange } from '@berth/shared/parse'
import type { SubnetPool } from '@berth/shared/subnet-pool'
import { oneAtATime } from '../forward/connect-plain.ts'
import { comesFromWorkspace } from '../listener/from-workspace.ts'
import { createRoutePorts } from '../listener/route-ports.ts'
import type { ServeTcp, TcpEntrance } from './serve-tcp.ts'
import type { TcpConnections } from './tcp-connections.ts'
import { createWhoConnects } from './who-connects.ts'

export interface TcpPortsDeps {
  /** `TCP_PORTS`; absent: none is opened. */
  readonly range: PortRange | undefined
  /** The director listens there itself, for something else. */
  readonly takenPorts: readonly number[]
  /** The network of workspaces: connections from it are refused. */
  readonly pool: SubnetPool
  readonly connections: Pick<TcpConnections, 'review'>
  readonly serve: ServeTcp
  readonly log: Log
}

type RouteByTcp = Route & { readonly tcp: TcpRoute }

export interface TcpPorts extends AsyncDisposable {
  /** The snapshot of routes. Resolves when each new port is open, or has failed. */
  follow(routes: readonly Route[]): Promise<void>
}

function isByTcp(route: Route): route is RouteByTcp {
  return route.tcp !== undefined
}

export function createTcpPorts(deps: TcpPortsDeps): TcpPorts {
  const { range, takenPorts, pool, connections, serve, log } = deps
  let entrances: ReadonlyMap<number, TcpEntrance> = new Map()
  const ports = createRoutePorts({ start, log })

  async function start(port: number): Promise<AsyncDisposable> {
    const open = new Set<Socket>()
    const options = { allowHalfOpen: true, noDelay: true, keepAlive: true, ...oneAtATime }
    // The system takes the first probe of a silent peer so long after its last packet.
    const server = createServer({ ...options, keepAliveInitialDelay: 60_000 }, (socket) => {
      if (comesFromWorkspace(socket, pool)) {
        socket.destroy()
        return
      }
      open.add(socket)
      void serve(socket, () => entrances.get(port)).finally(() => open.delete(socket))
    })
    await listen(server, port)
    server.on('error', (error) => log.error({ error }, 'tcp listener failed'))
    return {
      async [Symbol.asyncDispose]() {
        const closed = new Promise((resolve) => server.close(resolve))
        for (const socket of open) socket.destroy()
        await closed
      },
    }
  }

  function isOffered({ template }: Route, listenPort: number): boolean {
    // Who follows the routes has logged it.
    if (takenPorts.includes(listenPort)) return false
    if (range !== undefined && listenPort >= range.first && listenPort <= range.last) return true
    log.error({ template, listenPort }, 'a route names a port that is not in TCP_PORTS')
    return false
  }

  return {
    async follow(snapshot) {
      entrances = new Map(
        snapshot.filter(isByTcp).flatMap((route) => {
          const { listenPort, tcp } = route
          if (listenPort === undefined || !isOffered(route, listenPort)) return []
          return [[listenPort, { route, who: createWhoConnects(tcp) }] as const]
        }),
      )
      connections.review()
      await ports.follow(new Set(entrances.keys()))
    },
    [Symbol.asyncDispose]: () => ports[Symbol.asyncDispose](),
  }
}
