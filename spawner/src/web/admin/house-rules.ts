// The page on which administrators announce a message, close templates and prepare maintenance: forms that act at once,
// each undone by a click.
import { Router, urlencoded, type Request, type Response } from 'express'
import type { Person } from '@berth/shared/contract'
import type { Clock } from '@berth/shared/clock'
import type { Audit, AuditedAct } from '../../audit.ts'
import type { House } from '../../house.ts'
import type { Workspaces } from '../../loop/workspaces.ts'
import { formField, textField } from '../http/form-field.ts'
import { plainText } from '../http/plain-text.ts'
import { requestIdOf } from '../http/request-ids.ts'
import type { FormTokens } from '../portal/form-token.ts'
import type { AdminPages, ShownHouse } from './admin-pages.ts'
import { noticeTexts } from './words.ts'

const longestReason = 300

export function createHouseRules(deps: {
  house: House
  workspaces: Workspaces
  audit: Audit
  clock: Clock
  pages: AdminPages
  tokens: FormTokens
  personOf: (request: Request) => Person
}): Router {
  const { house, workspaces, audit, clock, pages, tokens, personOf } = deps
  const router = Router({ caseSensitive: true, strict: true })
  const form = urlencoded({ extended: false, limit: '8kb', parameterLimit: 10 })

  function shown(): ShownHouse {
    const { closed, maintenance } = house.rules()
    const offered = [...workspaces.state().config.templates.values()]
    return {
      message: house.message(),
      maintenance,
      templates: offered.map(({ name, title }) => ({
        name,
        title: plainText(title, 100),
        closed: closed.get(name),
      })),
    }
  }

  router.get('/', (request, response) => {
    const person = personOf(request)
    const notice = noticeTexts.get(request.query['notice'])
    response.end(pages.house(person, shown(), { notice, token: tokens.give(person) }))
  })

  /** @returns what was done to what; `undefined` if there is nothing to do */
  type Act = (text: string, template: string) => { act: AuditedAct; target: string } | undefined

  const acts: Readonly<Record<string, Act>> = {
    announce(text) {
      house.announce(text)
      return { act: text === '' ? 'silence' : 'announce', target: 'everybody' }
    },
    maintain(text) {
      house.maintain(text === '' ? undefined : text)
      return { act: text === '' ? 'admit' : 'drain', target: 'everybody' }
    },
    close(text, template) {
      const isKnown =
        workspaces.state().config.templates.has(template) || house.rules().closed.has(template)
      if (!isKnown) return undefined
      house.close(template, text === '' ? undefined : text)
      return { act: text === '' ? 'open-template' : 'close-template', target: template }
    },
  }

  for (const [name, carryOut] of Object.entries(acts))
    router
      .route(`/${name}`)
      .post(form, (request: Request, response: Response) => {
        const administrator = personOf(request)
        if (!tokens.accepts(administrator, formField(request, 'token')))
          return response.redirect(303, '/admin/house?notice=expired')
        const text = plainText(textField(request, 'text').trim(), longestReason)
        const done = carryOut(text, textField(request, 'template'))
        if (done === undefined) return response.redirect(303, '/admin/house?notice=gone')
        const requestId = requestIdOf(response)
        const entry = { at: clock.wall(), administrator: administrator.name, why: text, requestId }
        audit({ ...entry, ...done, outcome: 'done' })
        response.redirect(303, '/admin/house?notice=saved')
      })
      // A form whose session had expired comes back from the sign-in as a GET, which changes nothing.
      .get((_request, response) => response.redirect(303, '/admin/house?notice=expired'))
  return router
}
