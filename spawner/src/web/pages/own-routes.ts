// The routes below `/.berth/` on the origin of a workspace: pages, status, what a person may do, and the files of the pages.
import { Router, urlencoded, type Request, type RequestHandler, type Response } from 'express'
import { bannerPath, internalPaths } from '@berth/shared/contract'
import { isGuestName, type WorkspaceName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type { Workspaces, WorkspaceView } from '../../loop/workspaces.ts'
import { ownWorkspaces, type OwnWorkspace } from '../../policy/asked/own-workspaces.ts'
import { isShared } from '../../templates/template.ts'
import { sendJson } from '../http/answers.ts'
import type { Assets } from './assets.ts'
import {
  findPerson,
  isUnattended,
  readBase,
  readCaller,
  readTarget,
  type Caller,
} from '../http/caller.ts'
import { formField } from '../http/form-field.ts'
import { localPath } from '../http/local-path.ts'
import { requestIdOf } from '../http/request-ids.ts'
import { choosePage, managePage, type Page } from './page-model.ts'
import type { Pages } from './pages.ts'
import { createPersonEvents } from './person-events.ts'
import { isSameOrigin } from '../http/same-origin.ts'
import type { WebSettings } from '../http/settings.ts'
import { showStatus } from './status.ts'

interface Asked {
  readonly caller: Caller
  readonly view: WorkspaceView
  readonly request: Request
  readonly requestId: string
}

type Change = (asked: Asked) => void

export function createOwnRoutes(deps: {
  workspaces: Workspaces
  settings: WebSettings
  pages: Pages
  assets: Assets
}): Router {
  const { workspaces, settings, pages, assets } = deps
  const router = Router({ caseSensitive: true, strict: true })
  const events = createPersonEvents(workspaces)
  const form = urlencoded({ extended: false, limit: '32kb', parameterLimit: 20 })

  const viewFor = ({ person, template, only }: Caller): WorkspaceView =>
    workspaces.view(person, template.name, only)
  const noteSeen = ({ person, template, only }: Caller): void =>
    workspaces.reportPresence(person, template.name, only)

  const othersOf = ({ person }: Caller, { status }: WorkspaceView): readonly OwnWorkspace[] =>
    ownWorkspaces(workspaces.state(), person).filter(({ name }) => name !== status.workspace)

  /** Not on a page of a workspace that runs scripts of other people, nor on a route to one workspace alone. */
  function stopsOthers({ template, only }: Caller): boolean {
    const known = workspaces.state().config.templates.get(template.name)
    return only === undefined && known !== undefined && !isShared(known)
  }

  function sendPage(
    request: Request,
    response: Response,
    choose: (view: WorkspaceView, others: readonly OwnWorkspace[]) => Page,
    place: { readonly target: string; readonly standstill: boolean },
  ): void {
    const caller = readCaller(request.headers, workspaces)
    noteSeen(caller)
    const view = viewFor(caller)
    const base = readBase(request.headers)
    const context = { userName: caller.person.name, title: view.title, base, ...place }
    const others = othersOf(caller, view)
    const page = choose(view, others)
    pages.send(response, page, { ...context, stopsOthers: stopsOthers(caller) })
  }

  router.get(internalPaths.page, (request, response) => {
    // Where no person waits, a page that opens the workspace as soon as it runs would load itself again and again.
    const chooseFor = isUnattended(request.headers) ? managePage : choosePage
    const choose = (view: WorkspaceView, others: readonly OwnWorkspace[]) =>
      chooseFor(workspaces.ready() ? view : awaitedView(view), others)
    const target = readTarget(request.headers)
    sendPage(request, response, choose, { target, standstill: false })
  })

  // This page starts nothing, so a person who has left the queue can be redirected to it.
  router.get('/.berth/', (request, response) => {
    const to = localPath(request.query['to'])
    const choose = request.query['to'] === undefined ? managePage : choosePage
    const target = to ?? `${readBase(request.headers)}/`
    sendPage(request, response, choose, { target, standstill: true })
  })

  // A page of the application has this origin, so keys are registered on the portal alone.
  router.get('/.berth/keys', (request, response, next) => {
    const isGuest = isGuestName(findPerson(request.headers)?.name ?? '')
    if (settings.portalUrl === undefined || isGuest) next()
    else response.redirect(303, new URL('/keys', settings.portalUrl).href)
  })

  router.get('/.berth/status', (request, response) => {
    const caller = readCaller(request.headers, workspaces)
    noteSeen(caller)
    sendJson(response, 200, showStatus(viewFor(caller)))
  })

  router.get('/.berth/events', (request, response, next) => {
    // Express would answer HEAD with this route, but a stream needs a body.
    if (request.method === 'HEAD') {
      next()
      return
    }
    events.open(response, readCaller(request.headers, workspaces))
  })

  router.get('/.berth/assets/:version/:name', assets.serve)

  // The pages of the application name this path, and keep it longer than a version of the files.
  router.get(bannerPath, (request, response) => {
    const { template } = readCaller(request.headers, workspaces)
    const base = readBase(request.headers)
    const policy = workspaces.state().config.templates.get(template.name)?.policy
    const options = {
      base,
      clock: base + assets.clock,
      byClick: policy?.startsBy === 'click',
    }
    response.setHeader('content-type', 'text/javascript; charset=utf-8')
    response.setHeader('cache-control', 'no-cache')
    response.setHeader('x-content-type-options', 'nosniff')
    response.end(
      `import { begin } from '${base}${assets.banner}'\nbegin(${JSON.stringify(options)})\n`,
    )
  })

  /** A template with its own port is behind another gateway, whose address Berth does not know, and guests may have an
   * address of their own. There the host of the request counts. */
  function publicUrlsOf({ person, template }: Caller): readonly (string | undefined)[] {
    if (isGuestName(person.name)) return [settings.publicUrl, undefined]
    const route = workspaces.state().config.templates.get(template.name)?.route
    if (route?.listenPort === undefined) return [settings.publicUrl]
    return route.hosts.length === 0 ? [undefined] : [settings.publicUrl, undefined]
  }

  function changing(status: number, act: Change): RequestHandler {
    return (request, response) => {
      const caller = readCaller(request.headers, workspaces)
      refuseOtherOrigins(request, publicUrlsOf(caller))
      const view = viewFor(caller)
      // A route to one workspace must not act on another one.
      const failure = caller.only === undefined ? undefined : view.refusal?.failure
      if (failure !== undefined) throw new BerthError(failure.code, failure.detail)
      act({ caller, view, request, requestId: requestIdOf(response) })
      if (request.is('application/x-www-form-urlencoded')) {
        redirectBack(request, response, formField(request, 'to') ?? request.query['to'])
        return
      }
      sendJson(response, status, showStatus(viewFor(caller)))
    }
  }

  const start: Change = ({ caller: { person, template, only }, requestId }): void =>
    workspaces.requestStart(person, template.name, only, requestId)
  const cancel: Change = ({ caller: { person, template, only }, requestId }): void =>
    workspaces.cancelStart(person, template.name, only, requestId)

  function extend({ caller: { person }, view: { status } }: Asked): void {
    if (status.extensionMs === undefined)
      throw new BerthError(
        'conflict',
        'The lifetime of this workspace cannot be extended, or it has been extended already.',
      )
    workspaces.extend(status.workspace as WorkspaceName, person)
  }

  /** Only of a workspace that is the person's alone: others may be at work in a shared one. */
  function requireOwned({ owned, status }: WorkspaceView): void {
    if (owned === true || status.phase === 'absent') return
    throw new BerthError(
      'conflict',
      'Several people use this workspace, so no single one of them can stop or restart it.',
    )
  }

  /** With a new container, also if there is no newer version: a person may have to get out of a broken one. */
  function restart(asked: Asked): void {
    const { view, requestId } = asked
    requireOwned(view)
    if (view.status.phase === 'absent') return start(asked)
    workspaces.end(view.status.workspace as WorkspaceName, 'restart', requestId)
  }

  /** The person's workspace of this route, or another one of theirs that a form names. */
  function stop({ caller, view, request, requestId }: Asked): void {
    const named = formField(request, 'workspace')
    if (named === undefined || named === view.status.workspace) {
      requireOwned(view)
      if (view.status.phase !== 'absent')
        workspaces.end(view.status.workspace as WorkspaceName, 'stop', requestId)
      return
    }
    if (!stopsOthers(caller) || !isByHand(request))
      throw new BerthError(
        'origin_refused',
        'Another workspace can be stopped only by a click on a page of this service.',
      )
    const other = othersOf(caller, view).find(({ name }) => name === named)
    if (other === undefined || other.shared)
      throw new BerthError('workspace_unknown', 'You have no workspace of that name to stop.')
    workspaces.end(other.name, 'stop', requestId)
  }

  // A form whose session had expired comes back from the sign-in as a GET, which changes nothing: the person sees the
  // page with the button again.
  const backToPage: RequestHandler = (request, response, next) => {
    if (request.query['to'] === undefined && request.accepts(['json', 'html']) !== 'html') next()
    else redirectBack(request, response, request.query['to'])
  }

  for (const [path, status, act] of [
    ['/.berth/start', 202, start],
    ['/.berth/cancel', 200, cancel],
    ['/.berth/extend', 200, extend],
    ['/.berth/restart', 202, restart],
    ['/.berth/stop', 202, stop],
  ] as const)
    router.route(path).get(backToPage).post(form, changing(status, act))

  return router
}

/** A script of an application sends requests without a click. Browsers tell nothing of this over plain HTTP. */
function isByHand(request: Request): boolean {
  const mode = request.get('sec-fetch-mode')
  if (mode === undefined) return true
  return mode === 'navigate' && request.get('sec-fetch-user') === '?1'
}

function redirectBack(request: Request, response: Response, to: unknown): void {
  response.setHeader('cache-control', 'no-store')
  response.redirect(303, localPath(to) ?? `${readBase(request.headers)}/`)
}

/** Before the first inventory no workspace is queued yet, but each requested one will be. So the page shows the queue.
 * */
function awaitedView(view: WorkspaceView): WorkspaceView {
  if (view.status.phase !== 'absent' || view.status.problem !== undefined) return view
  return { ...view, status: { ...view.status, phase: 'queued' } }
}

/** @param publicUrls the request may match any of them; `undefined` stands for the host of the request */
function refuseOtherOrigins(request: Request, publicUrls: readonly (string | undefined)[]): void {
  const provenance = {
    origin: request.get('origin'),
    fetchSite: request.get('sec-fetch-site'),
    forwardedHost: request.get('x-forwarded-host'),
  }
  if (publicUrls.some((publicUrl) => isSameOrigin({ ...provenance, publicUrl }))) return
  throw new BerthError(
    'origin_refused',
    'Only a page of this address may do that. Open it there and use its button.',
  )
}
