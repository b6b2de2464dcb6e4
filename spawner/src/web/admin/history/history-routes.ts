// The routes of the history below `/admin`. What is in front of them lets only administrators pass.
import { Router, type Request } from 'express'
import type { Person } from '@berth/shared/contract'
import type { HistoryReader } from '../../../history/history.ts'
import { sendCsv } from '../../api/send-csv.ts'
import { readHistory } from '../../api/show-history.ts'
import type { HistoryPages } from './history-pages.ts'
import { pageQueryFrom, writtenFilter } from './read-filter.ts'

export function createHistoryRoutes(deps: {
  /** Absent: none is kept. */
  history: HistoryReader | undefined
  pages: HistoryPages
  templates: () => Iterable<string>
  personOf: (request: Request) => Person
}): Router {
  const { history, pages, templates, personOf } = deps
  const router = Router({ caseSensitive: true, strict: true })

  router.get('/history', async (request, response) => {
    const person = personOf(request)
    if (history === undefined) {
      response.end(pages.none(person))
      return
    }
    const query = pageQueryFrom(request.query)
    const page = await readHistory(history, (kept) => kept.page(query))
    response.end(
      pages.list(person, {
        page,
        filter: writtenFilter(request.query),
        isLater: query.after !== undefined,
        templates: [...templates()].sort(),
        keepMs: history.keepMs,
      }),
    )
  })

  router.get('/history.csv', async (request, response) => {
    await sendCsv(response, history, pageQueryFrom(request.query))
  })

  return router
}
