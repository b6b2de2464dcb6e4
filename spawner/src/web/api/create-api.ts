// The web application for scripts, on a separate port: /api/v1 and the interface of Docker Spawner. Every
// request needs the API token.
import type { ErrorRequestHandler, Express } from 'express'
import type { Log } from '@berth/shared/log'
import { BerthError } from '@berth/shared/problems'
import type { Secret } from '@berth/shared/secret'
import { sendProblem } from '../http/answers.ts'
import { createApplication } from '../http/application.ts'
import { createRequestIds } from '../http/request-ids.ts'
import { problemOf } from '../http/problem-answers.ts'
import { createDockerSpawner } from '../docker-spawner/docker-spawner.ts'
import type { ApiDeps } from './handlers.ts'
import { createTokenGuard } from './token-guard.ts'
import { apiBase, createV1Routes, notAllowed } from './v1-routes.ts'

export interface CreateApiDeps extends ApiDeps {
  readonly token: Secret
  readonly problemBase?: string | undefined
  readonly version: string
  readonly log: Log
  /** How long a request of a Docker Spawner client waits at most. */
  readonly waitMs?: number
}

export function createApi(deps: CreateApiDeps): Express {
  const app = createApplication()

  app.use(createRequestIds({ takeOver: false }))
  app.use(createTokenGuard(deps))
  app.use(apiBase, createV1Routes(deps))
  app.use(createDockerSpawner(deps))
  app.all('/spawn', notAllowed('POST'))
  app.all('/stop', notAllowed('POST'))
  app.all('/get_container_hex', notAllowed('GET, HEAD, POST'))
  app.use(() => {
    throw new BerthError('template_unknown', 'There is nothing at this path.')
  })
  app.use(createApiProblems(deps))
  return app
}

function createApiProblems({ problemBase, log }: CreateApiDeps): ErrorRequestHandler {
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- Express knows an error handler by its four parameters
  return (error: unknown, _request, response, _next) => {
    if (response.headersSent) {
      response.destroy()
      return
    }
    sendProblem(response, problemOf(error, response, { base: problemBase, log }))
  }
}
