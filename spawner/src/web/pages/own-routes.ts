// The routes below `/.berth/` on the origin of a workspace: status, start, cancel, and the files of the pages.
import { Router, urlencoded, type Request, type RequestHandler, type Response } from 'express'
import { internalPaths } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type { Workspaces, WorkspaceView } from '../../loop/workspaces.ts'
import { sendJson } from '../http/answers.ts'
import type { Assets } from './assets.ts'
import { readBase, readCaller, readTarget, type Caller } from '../http/caller.ts'
import { localPath } from '../http/local-path.ts'
import { choosePage, runningPage, type Page } from './page-model.ts'
import type { Pages } from './pages.ts'
import { createPersonEvents } from './person-events.ts'
import { isSameOrigin } from '../http/same-origin.ts'
import type { WebSettings } from '../http/settings.ts'
import { showStatus } from './status.ts'

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

  function sendPage(
    request: Request,
    response: Response,
    choose: (view: WorkspaceView) => Page,
    place: { readonly target: string; readonly standstill: boolean },
  ): void {
    const caller = readCaller(request.headers, workspaces)
    noteSeen(caller)
    const view = viewFor(caller)
    const base = readBase(request.headers)
    const context = { userName: caller.person.name, title: view.title, base, ...place }
    pages.send(response, choose(view), context)
  }

  router.get(internalPaths.page, (request, response) => {
    const choose = (view: WorkspaceView) =>
      choosePage(workspaces.ready() ? view : awaitedView(view))
    const target = readTarget(request.headers)
    sendPage(request, response, choose, { target, standstill: false })
  })

  // This page starts nothing, so a person who has left the queue can be redirected to it.
  router.get('/.berth/', (request, response) => {
    const to = localPath(request.query['to'])
    const choose = (view: WorkspaceView) =>
      (request.query['to'] === undefined ? runningPage(view) : undefined) ?? choosePage(view)
    const target = to ?? `${readBase(request.headers)}/`
    sendPage(request, response, choose, { target, standstill: true })
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

  router.get('/.berth/assets/:name', assets.serve)

  /** A template with its own port is behind another gateway, whose address Berth does not know. For such a template the
   * host of the request counts. */
  function publicUrlsOf({ template }: Caller): readonly (string | undefined)[] {
    const route = workspaces.state().config.templates.get(template.name)?.route
    if (route?.listenPort === undefined) return [settings.publicUrl]
    return route.hosts.length === 0 ? [undefined] : [settings.publicUrl, undefined]
  }

  function changing(
    status: number,
    act: (caller: Caller, view: WorkspaceView) => void,
  ): RequestHandler {
    return (request, response) => {
      const caller = readCaller(request.headers, workspaces)
      refuseOtherOrigins(request, publicUrlsOf(caller))
      const view = viewFor(caller)
      // A route to one workspace must not act on another one.
      const failure = caller.only === undefined ? undefined : view.refusal?.failure
      if (failure !== undefined) throw new BerthError(failure.code, failure.detail)
      act(caller, view)
      if (request.is('application/x-www-form-urlencoded')) {
        response.setHeader('cache-control', 'no-store')
        const elsewhere = `${readBase(request.headers)}/`
        response.redirect(303, localPath(formField(request, 'to')) ?? elsewhere)
        return
      }
      sendJson(response, status, showStatus(viewFor(caller)))
    }
  }

  const start = ({ person, template, only }: Caller): void =>
    workspaces.requestStart(person, template.name, only)
  const cancel = ({ person, template, only }: Caller): void =>
    workspaces.cancelStart(person, template.name, only)

  function extend({ person }: Caller, { status }: WorkspaceView): void {
    if (status.extensionMs === undefined)
      throw new BerthError(
        'conflict',
        'The lifetime of this workspace cannot be extended, or it has been extended already.',
      )
    workspaces.extend(status.workspace as WorkspaceName, person)
  }

  /** Only the owner may restart a workspace, and only if there is a newer version. Otherwise an application at this
   * origin could end its own workspace. */
  function restart({ person }: Caller, { status }: WorkspaceView): void {
    const workspace = workspaces.state().workspaces.get(status.workspace as WorkspaceName)
    if (status.outdated !== true || workspace?.owner?.name !== person.name)
      throw new BerthError('conflict', 'There is no newer version of this workspace.')
    workspaces.end(workspace.name, 'restart')
  }

  router.post('/.berth/start', form, changing(202, start))
  router.post('/.berth/cancel', form, changing(200, cancel))
  router.post('/.berth/extend', form, changing(200, extend))
  router.post('/.berth/restart', form, changing(202, restart))

  return router
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

function formField(request: Request, name: string): unknown {
  const body: unknown = request.body
  if (typeof body !== 'object' || body === null) return undefined
  return Object.entries(body).find(([field]) => field === name)?.[1]
}
