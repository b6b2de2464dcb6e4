// Reserves addresses for the networks of a deployment's workspaces that no other deployment on this machine uses. Each pool
// has a port: the process that listens on it owns the pool. When the process ends for any reason, the port is free again.
import { once } from 'node:events'
import { createServer } from 'node:net'

const firstPort = 19_600
const poolCount = 16

export interface ReservedPool extends Disposable {
  /** Large enough for 256 networks of workspaces. */
  readonly subnet: string
}

export async function reservePool(): Promise<ReservedPool> {
  for (let n = 0; n < poolCount; n += 1) {
    const server = createServer().listen(firstPort + n, '127.0.0.1')
    try {
      await once(server, 'listening')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue
      throw error
    }
    server.unref()
    return { subnet: `10.214.${n * 16}.0/20`, [Symbol.dispose]: () => server.close() }
  }
  throw new Error(`all ${poolCount} pools of addresses are in use`)
}
