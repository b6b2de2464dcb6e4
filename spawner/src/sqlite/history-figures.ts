// The figures of a stretch of time, counted in equal spans: what the page with the charts shows.
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { startKinds } from '../history/entry.ts'
import type { Figures, FiguresQuery, Quantiles, SpanFigures } from '../history/history-store.ts'
import type { StartKind } from '../policy/domain.ts'

/** Exported for the test that asserts that each statement uses an index. */
export const figureStatements = {
  starts: `SELECT at, start, outcome, took_ms, waited_ms FROM entries
    WHERE type = 'start' AND at >= ? AND at < ? ORDER BY at`,
  refusals: `SELECT CAST((at - ?) / ? AS INTEGER) AS span, reason, count(*) AS count FROM entries
    WHERE type = 'refusal' AND at >= ? AND at < ? GROUP BY span, reason`,
  samples: `SELECT CAST((at - ?) / ? AS INTEGER) AS span, max(places) AS places, max(queued) AS queued,
    max(limit_value) AS most FROM samples WHERE at >= ? AND at < ? GROUP BY span`,
} as const

interface Span {
  readonly from: number
  readonly starts: Record<StartKind, number>
  failed: number
  readonly took: number[]
  readonly waited: number[]
  readonly refusals: Record<string, number>
  places?: number
  queued?: number
  limit?: number
}

export function figuresOf(database: DatabaseSync, { from, to, spanMs }: FiguresQuery): Figures {
  const count = Math.max(0, Math.ceil((to - from) / spanMs))
  const spans = Array.from({ length: count }, (_, at) => emptySpan(from + at * spanMs))
  const byStart = Object.fromEntries(startKinds.map((kind) => [kind, [] as number[]]))

  const starts = database.prepare(figureStatements.starts)
  // There are many, and an array for each is made faster than an object.
  starts.setReturnArrays(true)
  for (const row of starts.iterate(from, to)) {
    const [at, start, outcome, took, waited] = row as unknown as SQLOutputValue[]
    const span = spans[Math.floor((Number(at) - from) / spanMs)]
    if (span === undefined) continue
    if (outcome === 'failed') span.failed += 1
    if (outcome !== 'ready' || typeof start !== 'string') continue
    span.starts[start as StartKind] += 1
    span.took.push(Number(took))
    byStart[start]?.push(Number(took))
    // A frozen workspace kept its place, so nobody waited for one.
    if (start !== 'frozen') span.waited.push(Number(waited))
  }
  const within = [from, spanMs, from, to] as const
  for (const row of database.prepare(figureStatements.refusals).iterate(...within)) {
    const span = spans[Number(row['span'])]
    if (span !== undefined) span.refusals[String(row['reason'])] = Number(row['count'])
  }
  for (const row of database.prepare(figureStatements.samples).iterate(...within)) {
    const span = spans[Number(row['span'])]
    if (span === undefined) continue
    span.places = Number(row['places'])
    span.queued = Number(row['queued'])
    span.limit = Number(row['most'])
  }
  return {
    spans: spans.map(({ took, waited, ...span }): SpanFigures => ({
      ...span,
      took: quantilesOf(took),
      waited: quantilesOf(waited),
    })),
    byStart: Object.fromEntries(
      Object.entries(byStart).map(([kind, times]) => [
        kind,
        { count: times.length, ...quantilesOf(times) },
      ]),
    ) as Figures['byStart'],
  }
}

function emptySpan(from: number): Span {
  const starts = { cold: 0, stopped: 0, frozen: 0, standby: 0 }
  return { from, starts, failed: 0, took: [], waited: [], refusals: {} }
}

/** By nearest rank. */
export function quantilesOf(values: readonly number[]): Quantiles {
  if (values.length === 0) return {}
  const sorted = Float64Array.from(values).sort()
  const at = (part: number) => sorted[Math.ceil(part * sorted.length) - 1] ?? 0
  return { p50: at(0.5), p95: at(0.95) }
}
