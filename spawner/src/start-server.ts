// An HTTP server for directors or for scripts. Its disposal closes the connections that are open after a grace time,
// because directors keep streams open that never end by themselves.
import { createServer, type RequestListener } from 'node:http'
import { listen } from '@berth/shared/listen'
import type { Log } from '@berth/shared/log'
import type { ServeUpgrade } from './web/internal/sessions.ts'

export interface StartedServer extends AsyncDisposable {
  readonly port: number
}

/** How long answers in progress may take when the server is disposed. */
const graceMs = 2_000

/** A director forwards up to 64 KiB of headers, and adds the person percent-encoded: each byte may become three. */
const maxHeaderSize = 256 * 1024

/** Resolves when the server listens; rejects if the port is in use. */
export async function startServer(
  app: RequestListener,
  port: number,
  log: Log,
  serveUpgrade?: ServeUpgrade,
): Promise<StartedServer> {
  // Directors keep their connections. The director's pool closes an idle one first, so none is closed while it is used.
  const server = createServer(
    { keepAliveTimeout: 120_000, requestTimeout: 60_000, maxHeaderSize },
    app,
  )
  server.on('connection', (socket) => socket.on('error', () => socket.destroy()))
  if (serveUpgrade !== undefined) server.on('upgrade', serveUpgrade)
  const listening = await listen(server, port)
  server.on('error', (error) => log.error({ error }, 'server failed'))
  return {
    port: listening,
    async [Symbol.asyncDispose]() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const grace = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(grace)
    },
  }
}
