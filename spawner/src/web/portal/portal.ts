// The portal: the routes of its host, which the director passes on below a prefix of their own. Every request is checked
// before it is read: no page of another origin can change or read anything here.
import { Router, type ErrorRequestHandler, type Request, type RequestHandler } from 'express'
import type { Clock } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { BerthError, isProblemCode } from '@berth/shared/problems'
import type { House } from '../../house.ts'
import type { Impersonations } from '../../impersonations.ts'
import type { Disk } from '../../loop/disk.ts'
import type { Usage } from '../../loop/usage.ts'
import type { HistoryReader } from '../../history/history.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import { createFetchKeys } from '../../ssh/fetch-keys.ts'
import type { HostKeys } from '../../ssh/host-keys.ts'
import type { RegisteredKeys } from '../../ssh/keys.ts'
import type { TerminalSignIns } from '../../ssh/terminal-sign-ins.ts'
import { createHandlers, type ApiDeps } from '../api/handlers.ts'
import { apiBase, createV1Routes } from '../api/v1-routes.ts'
import { readPerson, readUserName } from '../http/caller.ts'
import { HttpRefusal, problemOf } from '../http/problem-answers.ts'
import type { WebSettings } from '../http/settings.ts'
import type { Assets } from '../pages/assets.ts'
import { guardHeaders } from '../pages/pages.ts'
import type { Audit } from '../../audit.ts'
import { createAdmin } from '../admin/admin.ts'
import { createAdminPages } from '../admin/admin-pages.ts'
import { createHistoryPages } from '../admin/history/history-pages.ts'
import { createHistoryRoutes } from '../admin/history/history-routes.ts'
import { createHouseRules } from '../admin/house-rules.ts'
import { isAdministrator } from '@berth/shared/administrators'
import { createBoard } from '../admin/board.ts'
import { createCarryOut } from '../admin/carry-out.ts'
import { createAdministratorCheck } from '../admin/check-administrator.ts'
import { createOpenAs } from '../admin/open-as.ts'
import { createCardsOf } from './cards.ts'
import { refusalOf } from './check-request.ts'
import { createFormTokens } from './form-token.ts'
import { createPortalEvents, reportPresence } from './portal-events.ts'
import { createPortalForms } from './portal-forms.ts'
import { createPortalPages } from './portal-pages.ts'
import { createSshRoutes } from './ssh-routes.ts'
import { noticeTexts } from './words.ts'

export interface PortalDeps {
  readonly portalUrl: string
  readonly workspaces: Workspaces
  readonly settings: WebSettings
  readonly assets: Assets
  readonly hexOf: ApiDeps['hexOf']
  readonly keys: RegisteredKeys
  readonly hostKeys: HostKeys
  readonly terminalSignIns: TerminalSignIns
  readonly clock: Clock
  readonly version: string
  readonly audit: Audit
  /** Absent: nothing is measured. */
  readonly usage?: Usage | undefined
  /** Absent: it is not read. */
  readonly disk?: Disk | undefined
  readonly house: House
  readonly impersonations?: Impersonations | undefined
  readonly history?: HistoryReader | undefined
  readonly log: Log
}

const shownLines = 200

export function createPortal(deps: PortalDeps): Router {
  const { portalUrl, workspaces, settings, assets, clock, hexOf, version, audit, usage, history } =
    deps
  const { house, impersonations, log } = deps
  const { administrators } = settings
  const router = Router({ caseSensitive: true, strict: true })
  const carryOut = createCarryOut({ workspaces, audit, clock })
  const api: ApiDeps = {
    workspaces,
    hexOf,
    clock,
    history,
    withUsers: true,
    carryOut,
    audit,
    hostKeys: deps.hostKeys,
  }
  const handlers = createHandlers(api)
  const tokens = createFormTokens(settings.internalSecret, clock)
  const pages = createPortalPages({
    settings,
    assets,
    tokens,
    message: () => house.message(),
    offersSsh: () =>
      [...workspaces.state().config.templates.values()].some(({ ssh }) => ssh !== undefined),
    wallNow: () => clock.wall(),
  })
  const cardsOf = createCardsOf(workspaces, clock, impersonations, settings.sshAddress)
  const events = createPortalEvents({ workspaces, cardsOf, pages, impersonations })
  const personOf = (request: Request) => readPerson(request.headers)

  router.use(createGuard(portalUrl))

  router.get('/', (request, response) => {
    const person = personOf(request)
    workspaces.noteVisit(person)
    reportPresence(workspaces, person)
    response.end(
      pages.home(person, cardsOf(person), {
        notice: noticeTexts.get(request.query['notice']),
        administers: isAdministrator(person, administrators),
      }),
    )
  })

  router.get('/events', (request, response, next) => {
    // Express would answer HEAD with this route, but a stream needs a body.
    if (request.method === 'HEAD') next()
    else events.open(response, personOf(request))
  })

  router.get('/workspaces/:name/log', async (request, response) => {
    const as = personOf(request)
    const { name } = request.params
    const asked = { name, query: { tail: shownLines }, body: undefined, as }
    const { template } = handlers.showWorkspace(asked)
    const title = workspaces.templateNamed(template)?.title ?? template
    const { lines } = await handlers.showLogs(asked)
    if (!response.destroyed) response.end(pages.log(as, { title, workspace: name, lines }))
  })

  // The type of each problem is the address of this page.
  router.get('/problems/:code', (request, response) => {
    const { code } = request.params
    if (!isProblemCode(code))
      throw new BerthError('template_unknown', 'There is no problem with this name.')
    response.end(pages.problem(personOf(request), code))
  })

  router.get('/.berth/assets/:version/:name', assets.serve)
  const check = createAdministratorCheck({ administrators, audit, clock, personOf })
  const adminPages = createAdminPages({
    settings,
    assets,
    usage,
    opensAs: impersonations !== undefined,
    wallNow: () => clock.wall(),
  })
  const historyRoutes = createHistoryRoutes({
    history,
    pages: createHistoryPages({ frame: adminPages.frame, style: assets.historyStyle }),
    templates: () => workspaces.state().config.templates.keys(),
    personOf,
    wallNow: () => clock.wall(),
  })
  const refusal = (person: Person) => pages.problem(person, 'not_admin')
  const board = createBoard({ workspaces, disk: deps.disk, clock })
  const around = { workspaces, usage, tokens, history: historyRoutes, personOf, refusal }
  const houseRules = createHouseRules({ ...around, house, audit, clock, pages: adminPages })
  const openAs =
    impersonations === undefined
      ? undefined
      : createOpenAs({ ...around, impersonations, board, audit, clock, pages: adminPages })
  const admin = { ...around, board, check, carryOut, house: houseRules, openAs, pages: adminPages }
  router.use('/admin', createAdmin(admin))
  router.use(createPortalForms({ handlers, tokens, personOf }))
  router.use(
    createSshRoutes({
      ...deps,
      fetchKeys: createFetchKeys(settings.keyForges ?? []),
      pages,
      tokens,
      personOf,
    }),
  )
  router.use(`${apiBase}/admin`, (request, _response, next) => {
    if (!check(request)) throw new BerthError('not_admin', 'Only administrators can do that.')
    next()
  })
  router.use(apiBase, refuseForms, createV1Routes({ ...api, version, personOf }))
  router.use(() => {
    throw new BerthError('template_unknown', 'There is nothing at this address of the portal.')
  })
  router.use(refusalPages())
  return router

  /** Its own: the pages of a workspace may be framed, and lead to paths that only a workspace has. */
  function refusalPages(): ErrorRequestHandler {
    return (error: unknown, request, response, next) => {
      const isPage = /\btext\/html\b/i.test(request.get('accept') ?? '')
      if (!isPage || response.headersSent || readUserName(request.headers) === undefined)
        return next(error)
      const { code, status, detail } = problemOf(error, response, { base: portalUrl, log })
      response
        .status(status)
        .type('html')
        .end(pages.problem(personOf(request), code, detail))
    }
  }
}

function createGuard(portalUrl: string): RequestHandler {
  const headers = {
    ...guardHeaders("'none'"),
    'x-frame-options': 'DENY',
    // A page that opened this one, or that it was opened from, gets no reference to its window, and none of its bytes.
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  }
  return (request, response, next) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    const refusal = refusalOf(
      {
        method: request.method,
        origin: request.get('origin'),
        fetchSite: request.get('sec-fetch-site'),
        fetchMode: request.get('sec-fetch-mode'),
        fetchDest: request.get('sec-fetch-dest'),
      },
      portalUrl,
    )
    if (refusal !== undefined) throw refusal
    next()
  }
}

/** The API needs no token, so no form can call it: a form has one of these three types. */
const refuseForms: RequestHandler = (request, _response, next) => {
  const forms = ['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain']
  if (typeof request.is(forms) === 'string')
    throw new HttpRefusal(415, 'The body must be JSON (Content-Type: application/json).')
  next()
}
