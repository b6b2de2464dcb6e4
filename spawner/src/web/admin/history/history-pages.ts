// Renders the pages of the history. The views (eta, autoEscape) escape every value.
import { fileURLToPath } from 'node:url'
import { Eta } from 'eta'
import { wallText } from '@berth/shared/clock'
import type { Person } from '@berth/shared/contract'
import { entryTypes, outcomes, startKinds } from '../../../history/entry.ts'
import type { Figures, HistoryPage, StoredEntry } from '../../../history/history-store.ts'
import { cursorText } from '../../api/history-schemas.ts'
import { longText, spanText } from '../../pages/durations.ts'
import { plainText } from '../../http/plain-text.ts'
import type { AdminFrame } from '../admin-pages.ts'
import { chartRanges, rangeWords, type ChartRange } from './chart-ranges.ts'
import { chartsOf, summaryOf } from './charts.ts'
import { filterText, type WrittenFilter } from './read-filter.ts'
import { entryWords, outcomeWords, startWords, stepsText, typeWords } from './words.ts'

export interface HistoryPages {
  list(person: Person, shown: ShownList): string
  charts(person: Person, figures: Figures, range: ChartRange): string
  none(person: Person, of: 'history' | 'charts'): string
}

export interface ShownList {
  readonly page: HistoryPage
  readonly filter: WrittenFilter
  /** It is not the first page. */
  readonly isLater: boolean
  /** Names of templates to choose from. */
  readonly templates: readonly string[]
  readonly keepMs: number
}

const tab = 'History'
const current = '/admin/history'
const ofCharts = { tab: 'Charts', current: '/admin/charts' } as const

export function createHistoryPages(deps: { frame: AdminFrame; style: string }): HistoryPages {
  const { frame, style } = deps
  const views = fileURLToPath(new URL('./views', import.meta.url))
  const eta = new Eta({ views, cache: true, autoEscape: true })

  return {
    none: (person, of) =>
      frame(person, {
        ...(of === 'history' ? { tab, current } : ofCharts),
        body: eta.render('none', {}),
      }),

    charts(person, figures, range) {
      const body = eta.render('charts', {
        style,
        range,
        ranges: chartRanges.map((one) => ({ range: one, label: rangeWords[one].label })),
        charts: chartsOf(figures, range),
        summary: summaryOf(figures),
      })
      return frame(person, { ...ofCharts, body })
    },

    list(person, { page, filter, isLater, templates, keepMs }) {
      const { next } = page
      const body = eta.render('list', {
        style,
        filter,
        isFiltered: Object.keys(filter).length > 0,
        rows: page.entries.map(rowOf),
        keeps: daysText(keepMs),
        options: {
          type: optionsOf(entryTypes, typeWords),
          start: optionsOf(startKinds, startWords),
          outcome: optionsOf(outcomes, outcomeWords),
        },
        templates,
        csv: `/admin/history.csv${filterText(filter)}`,
        newest: isLater ? `${current}${filterText(filter)}` : undefined,
        older: next && `${current}${filterText(filter, { after: cursorText(next) })}`,
      })
      return frame(person, { tab, current, body })
    },
  }
}

function optionsOf<T extends string>(values: readonly T[], words: Readonly<Record<T, string>>) {
  return values.map((value) => ({ value, label: words[value] }))
}

/** What a row of the table shows. */
export interface HistoryRow {
  readonly at: string
  readonly time: string
  readonly type: string
  readonly what: string
  readonly isBad: boolean
  readonly person: string
  readonly workspace: string
  readonly waited: string
  readonly took: string
  readonly steps: string
  readonly ran: string
  readonly words: string
}

export function rowOf(entry: StoredEntry): HistoryRow {
  const { at, type, start, outcome, person, workspace, template, target } = entry
  const { waitedMs, tookMs, ranMs, steps } = entry
  const time = wallText(at)
  const from = start === undefined ? [] : [startWords[start]]
  const result = outcome === undefined || outcome === 'ready' || outcome === 'done' ? [] : [outcome]
  return {
    at: time,
    time: `${time.slice(0, 10)} ${time.slice(11, 19)}`,
    type,
    what: [typeWords[type], ...from, ...result].join(', '),
    isBad: outcome === 'failed' || outcome === 'refused' || type === 'refusal',
    person: plainText(person ?? '', 300),
    workspace: plainText(workspace ?? template ?? target ?? '', 300),
    waited: waitedMs === undefined ? '' : spanText(waitedMs),
    took: tookMs === undefined ? '' : spanText(tookMs),
    steps: stepsText(steps, spanText),
    ran: ranMs === undefined ? '' : ranText(ranMs),
    words: entryWords(entry),
  }
}

function ranText(ms: number): string {
  return ms < 3_600_000 ? spanText(ms) : longText(Math.round(ms / 3_600_000) * 3_600_000)
}

function daysText(ms: number): string {
  const days = Math.round(ms / 86_400_000)
  return days < 2 ? longText(ms) : `${days} days`
}
