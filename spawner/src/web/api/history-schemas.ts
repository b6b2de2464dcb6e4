// The schemas of the history in /api/v1. The administrator's page reads its query by the same schema.
import { longestText } from '@berth/shared/contract'
import { z } from 'zod'
import { entryTypes, outcomes, startKinds } from '../../history/entry.ts'
import type { Cursor, PageQuery } from '../../history/history-store.ts'

const text = z.string().min(1).max(longestText)
const moment = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value))
const cursorPattern = /^(\d{1,15})\.(\d{1,15})$/
export const mostEntriesAtOnce = 500

export const historyFilter = z.strictObject({
  user: text.optional().describe('The exact user name of the person or administrator.'),
  template: text.optional(),
  type: z.enum(entryTypes).optional(),
  start: z.enum(startKinds).optional().describe('What the start began from.'),
  outcome: z.enum(outcomes).optional(),
  from: moment.optional().describe('RFC 3339, inclusive.'),
  to: moment.optional().describe('RFC 3339, exclusive.'),
  search: text
    .optional()
    .describe('A part of a user name, workspace, template, target, reason or detail.'),
})

export const historyQuery = historyFilter.extend({
  after: z
    .string()
    .regex(cursorPattern)
    .optional()
    .describe('`next` of the page before. The same filter must be given with it.'),
  limit: z.coerce.number().int().min(1).max(mostEntriesAtOnce).default(100),
})
export type HistoryQuery = z.infer<typeof historyQuery>

const milliseconds = z.number().int().nonnegative()

export const shownEntry = z
  .object({
    id: z.number().int().describe('The number of the entry.'),
    at: z.iso.datetime(),
    type: z.enum(entryTypes),
    user: z
      .string()
      .optional()
      .describe('The user name of the person whom it concerns; of an act, the administrator’s.'),
    template: z.string().optional(),
    workspace: z.string().optional(),
    start: z.enum(startKinds).optional(),
    outcome: z.enum(outcomes).optional(),
    reason: z
      .string()
      .optional()
      .describe('Why it stopped or was cancelled, the code of a problem, or the act.'),
    detail: z.string().optional(),
    waitedMs: milliseconds.optional().describe('In the queue.'),
    tookMs: milliseconds.optional().describe('From the request to the end of the start.'),
    ranMs: milliseconds.optional().describe('From ready to the stop.'),
    steps: z
      .record(z.string(), z.number())
      .optional()
      .describe('Milliseconds that the start spent in each phase.'),
    exitCode: z.number().int().optional(),
    limit: z.number().optional().describe('The limit that was reached.'),
    target: z.string().optional().describe('What an administrator acted on.'),
  })
  .meta({ id: 'HistoryEntry' })
export type ShownEntry = z.infer<typeof shownEntry>

export const shownHistory = z
  .object({
    entries: z.array(shownEntry).describe('The latest first.'),
    next: z.string().optional().describe('For `after`; absent on the last page.'),
  })
  .meta({ id: 'History' })

export function pageQueryOf({ user, after, ...query }: HistoryQuery): PageQuery {
  return { ...query, person: user, after: after === undefined ? undefined : cursorOf(after) }
}

export const cursorText = ({ at, id }: Cursor): string => `${at}.${id}`

function cursorOf(written: string): Cursor | undefined {
  const [, at, id] = cursorPattern.exec(written) ?? []
  return { at: Number(at), id: Number(id) }
}
