// Puts together the spawner's web application, which only directors can reach.
import type { Express, RequestHandler } from 'express'
import { internalPaths } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { BerthError } from '@berth/shared/problems'
import type { Clock } from '@berth/shared/clock'
import type { Audit } from '../audit.ts'
import type { House } from '../house.ts'
import type { Impersonations } from '../impersonations.ts'
import type { Disk } from '../loop/disk.ts'
import type { Usage } from '../loop/usage.ts'
import type { HistoryReader } from '../history/history.ts'
import type { SignIns } from '../loop/sign-ins.ts'
import type { Workspaces } from '../loop/workspaces.ts'
import type { HostKeys } from '../ssh/host-keys.ts'
import type { RegisteredKeys } from '../ssh/keys.ts'
import type { TerminalSignIns } from '../ssh/terminal-sign-ins.ts'
import { findPerson } from './http/caller.ts'
import { createApplication } from './http/application.ts'
import { createAssets } from './pages/assets.ts'
import { createBearerGuard } from './http/bearer.ts'
import { createDirectorApi, holdPath, usePath } from './internal/director-api.ts'
import { commandsPath, createDirectorStream } from './internal/director-stream.ts'
import { createSshLogins, terminalSignInPath } from './internal/ssh-logins.ts'
import { createOwnRoutes } from './pages/own-routes.ts'
import { createPages } from './pages/pages.ts'
import { createRequestIds } from './http/request-ids.ts'
import { createProblemAnswers, HttpRefusal } from './http/problem-answers.ts'
import type { HexOf } from './docker-spawner/container-hex.ts'
import { createPortal } from './portal/portal.ts'
import type { WebSettings } from './http/settings.ts'

export function createWeb(deps: {
  workspaces: Workspaces
  settings: WebSettings
  hexOf: HexOf
  signIns: SignIns
  keys: RegisteredKeys
  hostKeys: HostKeys
  terminalSignIns: TerminalSignIns
  clock: Clock
  version: string
  audit: Audit
  usage?: Usage | undefined
  disk?: Disk | undefined
  house: House
  /** Absent: administrators cannot open workspaces as their owners. */
  impersonations?: Impersonations | undefined
  /** Absent: none is kept. */
  history?: HistoryReader | undefined
  log: Log
}): Express {
  const { workspaces, settings, impersonations, signIns, log } = deps
  const { portalUrl } = settings
  const assets = createAssets()
  const pages = createPages(settings, assets, {
    message: () => deps.house.message(),
    opened: (workspace, person) => impersonations?.told(workspace, person),
    wallNow: () => deps.clock.wall(),
  })
  const app = createApplication()

  app.use(createBearerGuard(settings))
  app.use(createRequestIds({ takeOver: true }))
  app.use(noteSignIns(signIns))
  app.use(createDirectorApi(deps))
  app.use(createSshLogins({ ...deps, portalUrl }))
  app.use(createDirectorStream(workspaces, log))
  if (portalUrl !== undefined)
    app.use(internalPaths.portal, createPortal({ ...deps, portalUrl, assets }))
  app.use(createOwnRoutes({ workspaces, settings, pages, assets }))
  for (const [path, methods] of knownPaths) app.all(path, methodNotAllowed(methods))
  app.use(() => {
    throw new BerthError('template_unknown', 'There is nothing at this path.')
  })
  app.use(createProblemAnswers({ settings, pages, log }))
  return app
}

/** The methods of each path. A request that no route of the path has answered has another method. */
const knownPaths: readonly (readonly [path: string, methods: string])[] = [
  [internalPaths.seats, 'POST'],
  [internalPaths.logins, 'POST'],
  [internalPaths.keys, 'POST'],
  [internalPaths.sshServers, 'POST'],
  [internalPaths.terminalSignIns, 'POST'],
  [terminalSignInPath, 'GET, HEAD, DELETE'],
  [internalPaths.activity, 'POST'],
  [internalPaths.probeResults, 'POST'],
  [internalPaths.activityCheckResults, 'POST'],
  [internalPaths.useReports, 'POST'],
  [usePath, 'GET, HEAD'],
  [holdPath, 'POST, DELETE'],
  [internalPaths.page, 'GET, HEAD'],
  [commandsPath, 'GET'],
  ['/.berth/', 'GET, HEAD'],
  ['/.berth/status', 'GET, HEAD'],
  ['/.berth/events', 'GET'],
  ['/.berth/assets/:version/:name', 'GET, HEAD'],
  ['/.berth/start', 'POST'],
  ['/.berth/cancel', 'POST'],
  ['/.berth/extend', 'POST'],
  ['/.berth/restart', 'POST'],
  ['/.berth/stop', 'POST'],
]

/** Only of requests that came through the gateway: the director sets these headers for no other. */
function noteSignIns(signIns: SignIns): RequestHandler {
  return (request, _response, next) => {
    const person = findPerson(request.headers)
    if (person !== undefined) signIns.note(person)
    next()
  }
}

function methodNotAllowed(methods: string): RequestHandler {
  return (_request, response) => {
    response.setHeader('allow', methods)
    throw new HttpRefusal(405, `This path supports only ${methods.replace(', ', ' and ')}.`)
  }
}
