// The listener and its routes. The provider handles everything else.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Log } from '@berth/shared/log'
import type Provider from 'oidc-provider'
import { githubPath } from './github.ts'
import type { Pages } from './pages.ts'
import { send, type SignIn } from './sign-in.ts'

export function createIdpServer(deps: {
  provider: Provider
  signIn: SignIn
  pages: Pages
  startUrl: string
  /** Answers for GitHub's API, if the provider acts like GitHub. */
  github?: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  log: Log
}): Server {
  const { provider, signIn, pages, startUrl, github, log } = deps
  const providerCallback = provider.callback()

  function fail(response: ServerResponse, error: unknown): void {
    log.error({ error }, 'request failed')
    if (response.headersSent) {
      response.destroy()
      return
    }
    send(response, 500, pages.message({ title: 'This did not work', text: 'The log says why.' }))
  }

  function route(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    if (path === '/healthz') {
      response.writeHead(200, { 'content-type': 'text/plain' }).end('ok\n')
      return
    }
    if (path === '/') {
      response.writeHead(302, { location: startUrl }).end()
      return
    }
    if (/^\/interaction\/[\w-]+$/.test(path) && ['GET', 'POST'].includes(request.method ?? '')) {
      signIn.handle(request, response).catch((error: unknown) => fail(response, error))
      return
    }
    if (github !== undefined && path.startsWith(githubPath)) {
      github(request, response).catch((error: unknown) => fail(response, error))
      return
    }
    providerCallback(request, response).catch((error: unknown) => fail(response, error))
  }

  // A browser with many tabs sends many cookies.
  return createServer({ maxHeaderSize: 64 * 1024 }, route)
}
