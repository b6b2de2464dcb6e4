// The routes of the history below `/admin`. What is in front of them lets only administrators pass.
import { Router, type Request } from 'express'
import type { Person } from '@berth/shared/contract'
import type { HistoryReader } from '../../../history/history.ts'
import { sendCsv } from '../../api/send-csv.ts'
import { readHistory } from '../../api/show-history.ts'
import { chartRanges, figuresQueryOf } from './chart-ranges.ts'
import type { HistoryPages } from './history-pages.ts'
import { pageQueryFrom, writtenFilter } from './read-filter.ts'

export function createHistoryRoutes(deps: {
  /** Absent: none is kept. */
  history: HistoryReader | undefined
  pages: HistoryPages
  templates: () => Iterable<string>
  personOf: (request: Request) => Person
  wallNow: () => number
}): Router {
  const { history, pages, templates, personOf, wallNow } = deps
  const router = Router({ caseSensitive: true, strict: true })

  router.get('/history', async (request, response) => {
    const person = personOf(request)
    if (history === undefined) {
      response.end(pages.none(person, 'history'))
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

  router.get('/charts', async (request, response) => {
    const person = personOf(request)
    if (history === undefined) {
      response.end(pages.none(person, 'charts'))
      return
    }
    const range = chartRanges.find((one) => one === request.query['range']) ?? 'day'
    const query = figuresQueryOf(range, wallNow())
    const figures = await readHistory(history, (kept) => kept.figures(query))
    response.end(pages.charts(person, figures, range))
  })

  return router
}
