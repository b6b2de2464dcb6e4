// `/.berth/…` on a workspace's origin: how things stand, start, cancel, and the files of the pages.
import { Router, urlencoded, type Request, type RequestHandler, type Response } from 'express'
import type { Clock } from '@berth/shared/clock'
import { internalPaths } from '@berth/shared/contract'
import { BerthError } from '@berth/shared/problems'
import type { Workspaces, WorkspaceView } from '../loop/workspaces.ts'
import { sendJson } from './answers.ts'
import type { Assets } from './assets.ts'
import { readCaller, readTarget, type Caller } from './caller.ts'
import { localPath } from './local-path.ts'
import { choosePage } from './page-model.ts'
import type { Pages } from './pages.ts'
import { createPersonEvents } from './person-events.ts'
import { isSameOrigin } from './same-origin.ts'
import type { WebSettings } from './settings.ts'
import { showStatus } from './status.ts'

export function createOwnRoutes(deps: {
  workspaces: Workspaces
  settings: WebSettings
  clock: Clock
  pages: Pages
  assets: Assets
}): Router {
  const { workspaces, settings, clock, pages, assets } = deps
  const router = Router({ caseSensitive: true, strict: true })
  const events = createPersonEvents(workspaces, clock)
  const form = urlencoded({ extended: false, limit: '32kb', parameterLimit: 20 })

  function sendPage(response: Response, caller: Caller, target: string, standstill: boolean): void {
    const { person, template } = caller
    workspaces.seen(person, template.name)
    const view = workspaces.view(person, template.name)
    const awaited = !standstill && !workspaces.ready() ? awaitedView(view) : view
    const context = { userName: person.name, title: view.title, target, standstill }
    pages.send(response, choosePage(awaited), context)
  }

  router.get(internalPaths.page, (request, response) => {
    const caller = readCaller(request.headers, workspaces)
    sendPage(response, caller, readTarget(request.headers), false)
  })

  // Looking here starts nothing, so a person who left the queue can be sent here.
  router.get('/.berth/', (request, response) => {
    const caller = readCaller(request.headers, workspaces)
    sendPage(response, caller, localPath(request.query['to']) ?? '/', true)
  })

  router.get('/.berth/status', (request, response) => {
    const { person, template } = readCaller(request.headers, workspaces)
    workspaces.seen(person, template.name)
    sendJson(response, 200, showStatus(workspaces.view(person, template.name)))
  })

  router.get('/.berth/events', (request, response, next) => {
    // Express answers HEAD by the same route, and a stream without a body would be no stream.
    if (request.method === 'HEAD') {
      next()
      return
    }
    events.open(response, readCaller(request.headers, workspaces))
  })

  router.get('/.berth/assets/:name', assets.serve)

  function changing(status: number, act: (caller: Caller) => void): RequestHandler {
    return (request, response) => {
      refuseOtherOrigins(request, settings.publicUrl)
      const caller = readCaller(request.headers, workspaces)
      act(caller)
      if (request.is('application/x-www-form-urlencoded')) {
        response.setHeader('cache-control', 'no-store')
        response.redirect(303, localPath(formField(request, 'to')) ?? '/')
        return
      }
      sendJson(response, status, showStatus(workspaces.view(caller.person, caller.template.name)))
    }
  }

  router.post(
    '/.berth/start',
    form,
    changing(202, ({ person, template }) => workspaces.requestStart(person, template.name)),
  )
  router.post(
    '/.berth/cancel',
    form,
    changing(200, ({ person, template }) => workspaces.cancelStart(person, template.name)),
  )

  return router
}

/** Before the first look at the engine nobody is in a queue yet, and everybody who asks will be. */
function awaitedView(view: WorkspaceView): WorkspaceView {
  if (view.status.phase !== 'absent' || view.status.problem !== undefined) return view
  return { ...view, status: { ...view.status, phase: 'queued' } }
}

function refuseOtherOrigins(request: Request, publicUrl: string | undefined): void {
  const same = isSameOrigin({
    origin: request.get('origin'),
    fetchSite: request.get('sec-fetch-site'),
    forwardedHost: request.get('x-forwarded-host'),
    publicUrl,
  })
  if (same) return
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
