// How the history is shown: as JSON, and as CSV that a spreadsheet opens without running anything of it.
import { wallText } from '@berth/shared/clock'
import { BerthError } from '@berth/shared/problems'
import type { HistoryReader } from '../../history/history.ts'
import type { HistoryFilter, PageQuery, StoredEntry } from '../../history/history-store.ts'
import { plainText } from '../http/plain-text.ts'
import { cursorText, type ShownEntry } from './history-schemas.ts'

export function showEntry({ at, person, detail, ...entry }: StoredEntry): ShownEntry {
  return {
    at: wallText(at),
    ...entry,
    ...(person === undefined ? {} : { user: person }),
    ...(detail === undefined ? {} : { detail: plainText(detail, 1_000) }),
  }
}

/** @throws BerthError if no history is kept, or it cannot be read */
export async function readHistory<T>(
  history: HistoryReader | undefined,
  read: (history: HistoryReader) => Promise<T>,
): Promise<T> {
  if (history === undefined)
    throw new BerthError('conflict', 'No history is kept here: HISTORY_KEEP is 0.')
  try {
    return await read(history)
  } catch {
    // The log has the cause: the history is written and removed all the time, in the same file.
    throw new BerthError('history_unavailable', 'The log of the spawner says why.')
  }
}

export async function showHistory(history: HistoryReader | undefined, query: PageQuery) {
  const { entries, next } = await readHistory(history, (kept) => kept.page(query))
  return {
    entries: entries.map(showEntry),
    ...(next === undefined ? {} : { next: cursorText(next) }),
  }
}

const columns = [
  'at',
  'type',
  'user',
  'template',
  'workspace',
  'start',
  'outcome',
  'reason',
  'detail',
  'waitedMs',
  'tookMs',
  'ranMs',
  'exitCode',
  'limit',
  'target',
] as const satisfies readonly (keyof ShownEntry)[]

const rowsAtOnce = 500

/** All entries that fit, piece by piece: RFC 4180 with a line of names. The first piece comes after the first read. */
export async function* csvOf(
  history: HistoryReader | undefined,
  query: HistoryFilter & Pick<PageQuery, 'after'>,
): AsyncGenerator<string> {
  let after = query.after
  let head = `${columns.join(',')}\r\n`
  do {
    const page = await readHistory(history, (kept) =>
      kept.page({ ...query, after, limit: rowsAtOnce }),
    )
    const rows = page.entries.map(showEntry)
    yield (
      head + rows.map((row) => `${columns.map((name) => cellOf(row[name])).join(',')}\r\n`).join('')
    )
    head = ''
    after = page.next
  } while (after !== undefined)
}

/** A spreadsheet takes a text that begins with one of these for a formula; with an apostrophe before, it is text. */
const formula = /^[=+\-@\t\r]/

export function cellOf(value: string | number | undefined): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const safe = formula.test(value) ? `'${value}` : value
  return /[",\r\n']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
