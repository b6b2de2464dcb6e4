// The port that directors come to. Ends by hanging up: directors keep streams open that would never end by themselves.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Log } from '@berth/shared/log'

export interface Listener extends AsyncDisposable {
  readonly port: number
}

/** How long answers that are under way may take to end. */
const graceMs = 2_000

/** A director passes on up to 64 KiB, and says who asks besides, percent-encoded: each byte may become three. */
const maxHeaderSize = 256 * 1024

/** Resolves once it listens; rejects when the port is taken. */
export async function listen(app: RequestListener, port: number, log: Log): Promise<Listener> {
  // Reports and held requests come over connections that directors keep; the director's pool lets go first.
  const server = createServer(
    { keepAliveTimeout: 120_000, requestTimeout: 60_000, maxHeaderSize },
    app,
  )
  server.on('connection', (socket) => socket.on('error', () => socket.destroy()))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, resolve)
  })
  server.on('error', (error) => log.error({ error }, 'server failed'))
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const grace = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(grace)
    },
  }
}
