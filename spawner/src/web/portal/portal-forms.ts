// The buttons of the portal for browsers without script: each form does what the API does, and leads back to the page.
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Person } from '@berth/shared/contract'
import { BerthError } from '@berth/shared/problems'
import type { Asked, Handlers } from '../api/handlers.ts'
import type { ShownWorkspace } from '../api/schemas.ts'
import { requestIdOf } from '../http/request-ids.ts'
import { formField } from '../http/form-field.ts'
import type { FormTokens } from './form-token.ts'

/** @returns the part of the page that shows what was done */
type Change = (asked: Asked) => string

const onCard =
  (change: (asked: Asked) => ShownWorkspace): Change =>
  (asked) =>
    `#card-${encodeURIComponent(change(asked).template)}`

export function createPortalForms(deps: {
  handlers: Handlers
  tokens: FormTokens
  personOf: (request: Request) => Person
}): Router {
  const { handlers, tokens, personOf } = deps
  const router = Router({ caseSensitive: true, strict: true })
  const form = urlencoded({ extended: false, limit: '8kb', parameterLimit: 10 })

  const carryOut = (change: Change) => (request: Request, response: Response) => {
    const as = personOf(request)
    const to = tokens.accepts(as, formField(request, 'token'))
      ? resultOf(change, request, as, requestIdOf(response))
      : '/?notice=expired'
    response.redirect(303, to)
  }

  function resultOf(change: Change, request: Request, as: Person, requestId: string): string {
    const name = String(request.params['name'] ?? '')
    const template = formField(request, 'template')
    const body = { template: typeof template === 'string' ? template : '' }
    try {
      return `/${change({ name, query: {}, body, as, requestId })}`
    } catch (error) {
      if (!(error instanceof BerthError)) throw error
      return error.code === 'workspace_unknown' ? '/?notice=gone' : '/?notice=refused'
    }
  }

  const measured: Change = (asked) => {
    handlers.measureHomes(asked)
    return ''
  }

  for (const [path, change] of [
    ['/start', onCard(handlers.startWorkspace)],
    ['/workspaces/:name/stop', onCard(handlers.stopWorkspace)],
    ['/workspaces/:name/restart', onCard(handlers.restartWorkspace)],
    ['/workspaces/:name/extend', onCard(handlers.extendWorkspace)],
    ['/homes/measure', measured],
  ] as const)
    router
      .route(path)
      .post(form, carryOut(change))
      // A form whose session had expired comes back from the sign-in as a GET, which changes nothing.
      .get((_request, response) => response.redirect(303, '/?notice=expired'))
  return router
}
