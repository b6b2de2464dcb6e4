// The administrator's pages, below `/admin` of the portal's host. The portal has checked the origin of each request.
import { Router, type Request } from 'express'
import type { Person } from '@berth/shared/contract'
import { BerthError } from '@berth/shared/problems'
import type { AdminPages } from './admin-pages.ts'
import type { CheckAdministrator } from './check-administrator.ts'

export interface AdminDeps {
  readonly check: CheckAdministrator
  readonly pages: AdminPages
  readonly personOf: (request: Request) => Person
  /** The page that anybody else gets. */
  readonly refusal: (person: Person) => string
}

export function createAdmin({ check, pages, personOf, refusal }: AdminDeps): Router {
  const router = Router({ caseSensitive: true, strict: true })

  router.use((request, response, next) => {
    if (check(request)) next()
    else response.status(403).end(refusal(personOf(request)))
  })
  router.get('/', (request, response) => {
    response.end(pages.now(personOf(request)))
  })
  router.use(() => {
    throw new BerthError('template_unknown', 'There is no such page for administrators.')
  })
  return router
}
