// The history as a CSV file.
import type { Response } from 'express'
import type { HistoryReader } from '../../history/history.ts'
import type { HistoryFilter } from '../../history/history-store.ts'
import { sendStream } from '../http/send-stream.ts'
import { csvOf } from './show-history.ts'

export function sendCsv(
  response: Response,
  history: HistoryReader | undefined,
  filter: HistoryFilter,
): Promise<void> {
  return sendStream(response, csvOf(history, filter), () => {
    response.status(200)
    response.setHeader('content-type', 'text/csv; charset=utf-8; header=present')
    response.setHeader('content-disposition', 'attachment; filename="berth-history.csv"')
    response.setHeader('cache-control', 'no-store')
    response.setHeader('x-content-type-options', 'nosniff')
  })
}
