// The charts of the history: what each shows, as a drawing, in a sentence, and as a table. Pure.
import { isProblemCode, problemTitle } from '@berth/shared/problems'
import { startKinds } from '../../../history/entry.ts'
import type { Figures, SpanFigures } from '../../../history/history-store.ts'
import { plainText } from '../../http/plain-text.ts'
import { spanText } from '../../pages/durations.ts'
import { isNamed, rangeWords, spanLabel, type ChartRange } from './chart-ranges.ts'
import { drawChart, type Drawing, type Series } from './draw-chart.ts'
import { startWords } from './words.ts'

export interface Chart {
  readonly id: string
  readonly title: string
  /** What it shows, in a sentence. */
  readonly says: string
  readonly drawing: Drawing
  readonly legend: readonly {
    readonly name: string
    readonly colour: number
    readonly shape: Series['shape']
  }[]
  readonly table: ChartTable
}

export interface ChartTable {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** Refusals beyond the most frequent ones are shown as one. */
const mostCodes = 5
/** A time is written in tenths of a second: between two lines of an axis there is at least one. */
const shownMs = 100
const number = (value: number): string => String(Math.round(value))

export function chartsOf({ spans }: Figures, range: ChartRange): readonly Chart[] {
  const { per } = rangeWords[range]
  const chart = (
    about: Pick<Chart, 'id' | 'title' | 'says'>,
    series: readonly Series[],
    text: (value: number) => string,
    leastStep = 0,
  ): Chart => {
    const labels = spans.map(({ from }) => spanLabel(range, from))
    const named = spans.map(({ from }) => isNamed(range, from))
    return {
      ...about,
      drawing: drawChart({ labels, named, series, text, leastStep }),
      legend: series.map(({ name, colour, shape }) => ({ name, colour, shape })),
      table: {
        head: ['From (UTC)', ...series.map(({ name }) => name)],
        rows: labels.map((label, at) => [
          label,
          ...series.map(({ values }) => {
            const value = values[at]
            return value === undefined ? '–' : text(value)
          }),
        ]),
      },
    }
  }
  const of = (read: (span: SpanFigures) => number | undefined) => spans.map(read)

  return [
    chart(
      { id: 'starts', title: `Starts ${per}`, says: startsSay(spans) },
      [
        ...startKinds.map((kind, colour): Series => ({
          name: `From a ${startWords[kind]}`.replace('a standby', 'standby'),
          values: of(({ starts }) => starts[kind]),
          shape: 'stack',
          colour,
        })),
        { name: 'Failed', values: of(({ failed }) => failed), shape: 'stack', colour: 5 },
      ],
      number,
      1,
    ),
    chart(
      {
        id: 'ready',
        title: 'Time until ready',
        says: `From the request until the workspace was ready. ${slowestSays(spans, 'took')}`,
      },
      quantileSeries('took'),
      spanText,
      shownMs,
    ),
    chart(
      {
        id: 'waiting',
        title: 'Time in the queue',
        says: `How long starts that became ready had waited for a place. ${slowestSays(spans, 'waited')}`,
      },
      quantileSeries('waited'),
      spanText,
      shownMs,
    ),
    chart(
      { id: 'refusals', title: `Refusals ${per}`, says: refusalsSay(spans) },
      refusalSeries(spans),
      number,
      1,
    ),
    chart(
      { id: 'places', title: 'Places in use', says: placesSay(spans) },
      [
        {
          name: 'Places, at the most',
          values: of(({ places }) => places),
          shape: 'area',
          colour: 0,
        },
        {
          name: 'In the queue, at the most',
          values: of(({ queued }) => queued),
          shape: 'line',
          colour: 5,
        },
        {
          name: 'Limit',
          values: of(({ limit }) => (limit === 0 ? undefined : limit)),
          shape: 'limit',
          colour: 4,
        },
      ],
      number,
      1,
    ),
  ]

  function quantileSeries(what: 'took' | 'waited'): readonly Series[] {
    return [
      {
        name: 'Half of them at most (p50)',
        values: of((span) => span[what].p50),
        shape: 'line',
        colour: 0,
      },
      {
        name: '95 % of them at most (p95)',
        values: of((span) => span[what].p95),
        shape: 'dashed',
        colour: 5,
      },
    ]
  }
}

/** Of all starts in the time together. */
export function summaryOf({ byStart }: Figures): ChartTable {
  const time = (ms: number | undefined) => (ms === undefined ? '–' : spanText(ms))
  return {
    head: ['Started from', 'Starts', 'p50', 'p95'],
    rows: startKinds.map((kind) => {
      const { count, p50, p95 } = byStart[kind]
      return [startWords[kind], String(count), time(p50), time(p95)]
    }),
  }
}

function refusalSeries(spans: readonly SpanFigures[]): readonly Series[] {
  const codes = codesOf(spans)
  const shown = codes.slice(0, mostCodes)
  const others = codes.slice(mostCodes)
  const sum = (span: SpanFigures, of: readonly string[]) =>
    of.reduce((all, code) => all + (span.refusals[code] ?? 0), 0)
  const series = shown.map((code, colour): Series => ({
    name: isProblemCode(code) ? problemTitle(code) : plainText(code, 50),
    values: spans.map((span) => sum(span, [code])),
    shape: 'stack',
    colour,
  }))
  if (others.length === 0 && shown.length > 0) return series
  const name = shown.length === 0 ? 'Refusals' : 'Others'
  const values = spans.map((span) => sum(span, others))
  return [...series, { name, values, shape: 'stack', colour: 5 }]
}

/** The most frequent first. */
function codesOf(spans: readonly SpanFigures[]): readonly string[] {
  const counts = new Map<string, number>()
  for (const { refusals } of spans)
    for (const [code, count] of Object.entries(refusals))
      counts.set(code, (counts.get(code) ?? 0) + count)
  return [...counts].sort(([, a], [, b]) => b - a).map(([code]) => code)
}

function startsSay(spans: readonly SpanFigures[]): string {
  const count = (span: SpanFigures) => startKinds.reduce((sum, kind) => sum + span.starts[kind], 0)
  const ready = spans.reduce((sum, span) => sum + count(span), 0)
  const failed = spans.reduce((sum, span) => sum + span.failed, 0)
  return `${ready} ${ready === 1 ? 'start' : 'starts'} became ready, and ${failed} failed.`
}

function slowestSays(spans: readonly SpanFigures[], what: 'took' | 'waited'): string {
  const most = Math.max(...spans.map((span) => span[what].p95 ?? Number.NEGATIVE_INFINITY))
  return Number.isFinite(most) ? `The highest p95 is ${spanText(most)}.` : 'There was no start.'
}

function refusalsSay(spans: readonly SpanFigures[]): string {
  const all = spans.flatMap(({ refusals }) => Object.values(refusals))
  const sum = all.reduce((one, other) => one + other, 0)
  return sum === 0
    ? 'Nobody was refused.'
    : `${sum} ${sum === 1 ? 'refusal' : 'refusals'}, by reason.`
}

function placesSay(spans: readonly SpanFigures[]): string {
  const most = Math.max(...spans.map(({ places = Number.NEGATIVE_INFINITY }) => places))
  const noted = 'Noted every five minutes, with the most since the time before.'
  return Number.isFinite(most)
    ? `At the most, ${most} at once. ${noted}`
    : `Nothing was noted. ${noted}`
}
