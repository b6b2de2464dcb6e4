// The filter of the history's page, as its form sends it: fields that are left empty do not count, days are in UTC. Pure.
import { BerthError } from '@berth/shared/problems'
import { z } from 'zod'
import type { PageQuery } from '../../../history/history-store.ts'
import { historyQuery, pageQueryOf } from '../../api/history-schemas.ts'
import { plainText } from '../../http/plain-text.ts'

/** As written in the form. */
export type WrittenFilter = Readonly<Record<string, string>>

const fields = ['user', 'template', 'type', 'start', 'outcome', 'search', 'from', 'to'] as const
const rows = 50
const dayMs = 86_400_000

export function writtenFilter(query: Readonly<Record<string, unknown>>): WrittenFilter {
  const written = fields.flatMap((name) => {
    const value = query[name]
    return typeof value === 'string' && value.trim() !== '' ? [[name, value.trim()] as const] : []
  })
  return Object.fromEntries(written)
}

/** @throws BerthError `bad_request` */
export function pageQueryFrom(query: Readonly<Record<string, unknown>>): PageQuery {
  const { from, to, ...written } = writtenFilter(query)
  const after = query['after']
  const result = historyQuery.safeParse({
    ...written,
    ...(typeof after === 'string' ? { after } : {}),
    ...(from === undefined ? {} : { from: momentOf(from, 0) }),
    // The last day is in it.
    ...(to === undefined ? {} : { to: momentOf(to, dayMs) }),
    limit: rows,
  })
  if (!result.success)
    throw new BerthError('bad_request', plainText(z.prettifyError(result.error), 1_000))
  return pageQueryOf(result.data)
}

function momentOf(day: string, later: number): string {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(day) ? Date.parse(day) : Number.NaN
  if (Number.isNaN(at))
    throw new BerthError(
      'bad_request',
      `A day is written like 2026-11-27, not "${plainText(day, 50)}".`,
    )
  return new Date(at + later).toISOString()
}

/** The query of an address with this filter. */
export function filterText(filter: WrittenFilter, more: WrittenFilter = {}): string {
  const text = new URLSearchParams({ ...filter, ...more }).toString()
  return text === '' ? '' : `?${text}`
}
