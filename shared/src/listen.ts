// Has a server listen.
import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'

/**
 * Resolves once the server listens; rejects when the port cannot be taken.
 *
 * @param port 0 takes any free port
 * @returns the port
 */
export async function listen(server: Server, port: number, host?: string): Promise<number> {
  server.listen(port, host)
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
