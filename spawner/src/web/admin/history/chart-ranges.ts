// How much time the charts show, and in which spans. Spans begin at whole hours and days in UTC. Pure.
import type { FiguresQuery } from '../../../history/history-store.ts'

export const chartRanges = ['day', 'week', 'month'] as const
export type ChartRange = (typeof chartRanges)[number]

export interface RangeWords {
  /** The link to it. */
  readonly label: string
  /** Continues `starts`. */
  readonly per: string
}

export const rangeWords: Readonly<Record<ChartRange, RangeWords>> = {
  day: { label: 'Last day', per: 'per hour' },
  week: { label: 'Last week', per: 'per 6 hours' },
  month: { label: 'Last month', per: 'per day' },
}

const hourMs = 3_600_000

const shapes: Readonly<Record<ChartRange, { readonly spanMs: number; readonly spans: number }>> = {
  day: { spanMs: hourMs, spans: 24 },
  week: { spanMs: 6 * hourMs, spans: 28 },
  month: { spanMs: 24 * hourMs, spans: 30 },
}

/** Up to the end of the present span. */
export function figuresQueryOf(range: ChartRange, now: number): FiguresQuery {
  const { spanMs, spans } = shapes[range]
  const to = (Math.floor(now / spanMs) + 1) * spanMs
  return { from: to - spans * spanMs, to, spanMs }
}

/** The begin of a span: `14:00`, `27 Nov 12:00`, `27 Nov`. */
export function spanLabel(range: ChartRange, at: number): string {
  const text = new Date(at).toUTCString()
  const [day, time] = [text.slice(5, 11).replace(/^0/, ''), text.slice(17, 22)]
  return range === 'day' ? time : range === 'week' ? `${day} ${time}` : day
}

/** Whether the axis names the span. */
export function isNamed(range: ChartRange, at: number): boolean {
  const hour = new Date(at).getUTCHours()
  if (range === 'day') return hour % 3 === 0
  if (range === 'week') return hour === 0
  return Math.floor(at / (24 * hourMs)) % 4 === 0
}
