// For tests of the web: a history in memory, with the order, the filters and the pages of the real one.
import type { Entry } from '../entry.ts'
import type { HistoryReader } from '../history.ts'
import type { Figures, PageQuery, StoredEntry } from '../history-store.ts'

export function createMemoryHistory(
  entries: readonly Entry[],
  figures: Figures = { spans: [], byStart: nothing },
): HistoryReader {
  const stored = entries
    .map((entry, at): StoredEntry => ({ id: at + 1, ...entry }))
    .sort((a, b) => b.at - a.at || b.id - a.id)
  return {
    keepMs: 30 * 86_400_000,
    async page(query) {
      const fitting = stored.filter((entry) => fits(entry, query))
      const page = fitting.slice(0, query.limit)
      const last = page.at(-1)
      return fitting.length > page.length && last !== undefined
        ? { entries: page, next: { at: last.at, id: last.id } }
        : { entries: page }
    },
    figures: async () => figures,
  }
}

function fits(entry: StoredEntry, query: PageQuery): boolean {
  const { after, from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY, search } = query
  for (const name of ['person', 'template', 'type', 'start', 'outcome'] as const)
    if (query[name] !== undefined && entry[name] !== query[name]) return false
  if (entry.at < from || entry.at >= to) return false
  if (search !== undefined && !JSON.stringify(entry).includes(search)) return false
  if (after === undefined) return true
  return entry.at < after.at || (entry.at === after.at && entry.id < after.id)
}

const nothing: Figures['byStart'] = {
  cold: { count: 0 },
  stopped: { count: 0 },
  frozen: { count: 0 },
  standby: { count: 0 },
}
