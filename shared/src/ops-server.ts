// The server for operators: /healthz, /readyz and /metrics, on a port of their own.
import http from 'node:http'
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import { listen } from './listen.ts'
import { poolContains, type SubnetPool } from './subnet-pool.ts'

export interface OpsServer extends AsyncDisposable {
  /** The port that it listens on, also when port 0 was requested. */
  readonly port: number
}

export interface OpsServerDeps {
  /** 0 takes any free port. */
  readonly port: number
  readonly registry: Registry
  /** Whether the service can do its work now. An answer to /healthz shows that its process runs. */
  readonly ready: () => boolean
  /** Connections from or to these addresses are closed unread: workspaces must not read the metrics. */
  readonly refuseFrom?: SubnetPool
}

/** A registry with the process's own metrics and `berth_build_info`. */
export function createRegistry(service: string, version: string): Registry {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const info = new Gauge({
    name: 'berth_build_info',
    help: 'The service that runs, and its version; always 1',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  })
  info.set({ service, version, node: process.version }, 1)
  return registry
}

/** Resolves when it listens. Rejects when the port cannot be opened. */
export async function startOpsServer(deps: OpsServerDeps): Promise<OpsServer> {
  const { registry, ready, refuseFrom } = deps
  new Gauge({
    name: 'berth_ready',
    help: 'Whether the service can do its work now, as /readyz says; 1 or 0',
    registers: [registry],
    collect() {
      this.set(ready() ? 1 : 0)
    },
  })
  const server = http.createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000 },
    (req, res) => {
      req.on('error', () => req.socket.destroy())
      res.on('error', () => req.socket.destroy())
      void answer(req, res)
    },
  )
  server.on('connection', (socket) => {
    const { localAddress, remoteAddress } = socket
    const foreign = [localAddress, remoteAddress].some(
      (address) =>
        refuseFrom !== undefined && address !== undefined && poolContains(refuseFrom, address),
    )
    if (foreign) socket.destroy()
  })
  server.on('clientError', (_error, socket) => socket.destroy())

  async function answer(req: http.IncomingMessage, res: http.ServerResponse): Promise<void> {
    const path = req.url?.split('?')[0]
    if (req.method !== 'GET' && req.method !== 'HEAD') return say(res, 405, 'method not allowed')
    if (path === '/healthz') return say(res, 200, 'ok')
    if (path === '/readyz') return ready() ? say(res, 200, 'ready') : say(res, 503, 'not ready')
    if (path !== '/metrics') return say(res, 404, 'not found')
    try {
      say(res, 200, await registry.metrics(), registry.contentType)
    } catch (error) {
      say(res, 500, error instanceof Error ? error.message : 'the metrics could not be collected')
    }
  }

  const port = await listen(server, deps.port)

  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function say(res: http.ServerResponse, status: number, text: string, type = 'text/plain'): void {
  res.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' })
  res.end(text.endsWith('\n') ? text : `${text}\n`)
}
