// The administrator's pages, below `/admin` of the portal's host. The portal has checked the origin of each request.
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Person } from '@berth/shared/contract'
import { BerthError } from '@berth/shared/problems'
import type { Workspaces } from '../../loop/workspaces.ts'
import type { Usage } from '../../loop/usage.ts'
import { formField, textField } from '../http/form-field.ts'
import { requestIdOf } from '../http/request-ids.ts'
import type { FormTokens } from '../portal/form-token.ts'
import { isAdminAct, type AdminAct } from './acts.ts'
import { createAdminEvents } from './admin-events.ts'
import type { AdminPages } from './admin-pages.ts'
import type { Board, BoardRow } from './board.ts'
import type { CarryOut } from './carry-out.ts'
import type { CheckAdministrator } from './check-administrator.ts'
import { readFilter } from './filter.ts'
import { noticeTexts } from './words.ts'

export interface AdminDeps {
  readonly workspaces: Workspaces
  readonly usage: Usage | undefined
  readonly board: Board
  readonly check: CheckAdministrator
  readonly carryOut: CarryOut
  readonly pages: AdminPages
  readonly tokens: FormTokens
  /** Further pages below `/admin`. */
  readonly history: Router
  readonly personOf: (request: Request) => Person
  /** The page that anybody else gets. */
  readonly refusal: (person: Person) => string
  /** The routes below `/house`. */
  readonly house?: Router | undefined
  /** The routes below `/open-as`. */
  readonly openAs?: Router | undefined
}

export function createAdmin(deps: AdminDeps): Router {
  const { workspaces, board, check, carryOut, pages, tokens, history, personOf, refusal } = deps
  const router = Router({ caseSensitive: true, strict: true })
  const events = createAdminEvents({ workspaces, usage: deps.usage, board, pages })
  const form = urlencoded({ extended: false, limit: '8kb', parameterLimit: 10 })

  router.use((request, response, next) => {
    if (check(request)) next()
    else response.status(403).end(refusal(personOf(request)))
  })

  router.get('/', (request, response) => {
    response.end(
      pages.now(personOf(request), board.look(), {
        filter: readFilter(request.query),
        templates: [...workspaces.state().config.templates.values()],
        notice: noticeTexts.get(request.query['notice']),
      }),
    )
  })

  router.get('/events', (request, response, next) => {
    // Express would answer HEAD with this route, but a stream needs a body.
    if (request.method === 'HEAD') next()
    else events.open(response, personOf(request), queryText(request, 'after'))
  })

  router
    .route('/workspaces/:name/:act')
    // Also what a form whose session had expired comes to after the sign-in: it changes nothing.
    .get((request, response) => {
      const found = asked(request)
      if (found === undefined) response.redirect(303, '/admin?notice=gone')
      else confirm(response, personOf(request), found)
    })
    .post(form, (request, response) => {
      const administrator = personOf(request)
      const found = asked(request)
      if (found === undefined) return response.redirect(303, '/admin?notice=gone')
      const why = textField(request, 'why').trim()
      if (!tokens.accepts(administrator, formField(request, 'token')))
        return confirm(response, administrator, {
          ...found,
          why,
          complaint: noticeTexts.get('expired'),
        })
      if (why === '')
        return confirm(response, administrator, { ...found, complaint: 'Please say why.' })
      const { act, row } = found
      const user = textField(request, 'user')
      const to = resultOf({
        administrator,
        act,
        name: row.id,
        why,
        ...(user === '' ? {} : { user }),
        requestId: requestIdOf(response),
      })
      response.redirect(303, to)
    })

  router.use(history)
  if (deps.house !== undefined) router.use('/house', deps.house)
  if (deps.openAs !== undefined) router.use('/open-as', deps.openAs)
  router.use(() => {
    throw new BerthError('template_unknown', 'There is no such page for administrators.')
  })
  return router

  /** @throws BerthError `template_unknown` for an act that does not exist */
  function asked(request: Request): { readonly act: AdminAct; readonly row: BoardRow } | undefined {
    const { name, act } = request.params
    if (typeof act !== 'string' || !isAdminAct(act))
      throw new BerthError('template_unknown', 'There is no such page for administrators.')
    const row = board.look().rows.find(({ id }) => id === name)
    return row === undefined ? undefined : { act, row }
  }

  function confirm(
    response: Response,
    person: Person,
    more: Omit<Parameters<AdminPages['confirm']>[1], 'token'>,
  ): void {
    response.end(pages.confirm(person, { ...more, token: tokens.give(person) }))
  }

  function resultOf(order: Parameters<CarryOut>[0]): string {
    try {
      carryOut(order)
      return `/admin?notice=${order.act}#row-${encodeURIComponent(order.name)}`
    } catch (error) {
      if (!(error instanceof BerthError)) throw error
      return error.code === 'workspace_unknown' ? '/admin?notice=gone' : '/admin?notice=refused'
    }
  }
}

function queryText({ query }: Request, name: string): string {
  const value = query[name]
  return typeof value === 'string' ? value : ''
}
