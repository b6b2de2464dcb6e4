import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Figures, SpanFigures } from '../../../history/history-store.ts'
import { createMemoryHistory } from '../../../history/testing/memory-history.ts'
import { startAdmin } from '../../testing/admin.ts'
import { chartRanges, figuresQueryOf, isNamed, spanLabel } from './chart-ranges.ts'
import { chartsOf, summaryOf } from './charts.ts'
import { drawChart } from './draw-chart.ts'

const hour = 3_600_000
const empty = (from: number): SpanFigures => ({
  from,
  starts: { cold: 0, stopped: 0, frozen: 0, standby: 0 },
  failed: 0,
  took: {},
  waited: {},
  refusals: {},
})
const spans: readonly SpanFigures[] = [
  {
    ...empty(0),
    starts: { cold: 3, stopped: 1, frozen: 0, standby: 2 },
    failed: 1,
    took: { p50: 1_000, p95: 9_000 },
    waited: { p50: 0, p95: 500 },
    refusals: { queue_full: 2, limit_user: 7 },
    places: 5,
    queued: 1,
    limit: 10,
  },
  empty(hour),
  { ...empty(2 * hour), took: { p50: 70_000, p95: 80_000 } },
]
const figures: Figures = {
  spans,
  byStart: {
    cold: { count: 3, p50: 2_000, p95: 80_000 },
    stopped: { count: 0 },
    frozen: { count: 12, p50: 60, p95: 90 },
    standby: { count: 2, p50: 10, p95: 20 },
  },
}

describe('a chart', () => {
  it('has bars on top of each other, as high as their numbers', () => {
    const { marks, plot, rows } = drawChart({
      labels: ['a', 'b'],
      named: [true, false],
      series: [
        { name: 'one', values: [2, 0], shape: 'stack', colour: 0 },
        { name: 'two', values: [2, 4], shape: 'stack', colour: 1 },
      ],
      text: String,
      leastStep: 1,
    })
    const heights = (path = '') =>
      [...path.matchAll(/M[\d.]+,([\d.]+)h[\d.]+V([\d.]+)/g)].map(([, top, bottom]) => [
        Number(bottom),
        Number(bottom) - Number(top),
      ])
    const full = plot.bottom - 12
    assert.deepEqual(heights(marks[0]?.path), [[plot.bottom, full / 2]])
    assert.deepEqual(heights(marks[1]?.path), [
      [plot.bottom - full / 2, full / 2],
      [plot.bottom, full],
    ])
    assert.deepEqual(
      rows.map(({ label }) => label),
      ['0', '1', '2', '3', '4'],
    )
  })

  it('has a gap where there is no number, and a dot for a number between two gaps', () => {
    const { marks } = drawChart({
      labels: ['a', 'b', 'c', 'd'],
      named: [],
      series: [{ name: 'one', values: [1, undefined, 3, 4], shape: 'line', colour: 0 }],
      text: String,
    })
    assert.equal(marks[0]?.path.match(/M/g)?.length, 2)
    assert.equal(marks[0]?.dots.length, 3)
  })

  it('can be drawn of nothing at all', () => {
    for (const chart of chartsOf({ ...figures, spans: [empty(0)] }, 'day'))
      assert.doesNotMatch(JSON.stringify(chart.drawing), /NaN|null/, chart.id)
  })
})

describe('the charts of the history', () => {
  it('show the numbers as a table as well, with a dash where there is none', () => {
    const [starts, ready, waiting, refusals, places] = chartsOf(figures, 'day')
    assert.deepEqual(starts?.table.rows[0], ['00:00', '3', '1', '0', '2', '1'])
    assert.equal(starts?.says, '6 starts became ready, and 1 failed.')
    assert.deepEqual(ready?.table.rows, [
      ['00:00', '1.0 s', '9.0 s'],
      ['01:00', '–', '–'],
      ['02:00', '1:10 min', '1:20 min'],
    ])
    assert.match(ready?.says ?? '', /The highest p95 is 1:20 min\./)
    assert.deepEqual(waiting?.table.rows[0], ['00:00', '0.0 s', '0.5 s'])
    assert.deepEqual(refusals?.table.head.slice(1), [
      'You have as many workspaces as one person may have',
      'The queue is full',
    ])
    assert.deepEqual(refusals?.table.rows[0], ['00:00', '7', '2'])
    assert.deepEqual(places?.table.rows.slice(0, 2), [
      ['00:00', '5', '1', '10'],
      ['01:00', '–', '–', '–'],
    ])
    assert.deepEqual(summaryOf(figures).rows[2], ['paused container', '12', '0.1 s', '0.1 s'])
  })

  it('show rare kinds of refusals as one', () => {
    const refusals = Object.fromEntries(
      Array.from({ length: 9 }, (_, at) => [`code_${at}`, 9 - at]),
    )
    const chart = chartsOf({ ...figures, spans: [{ ...empty(0), refusals }] }, 'day')[3]
    assert.equal(chart?.table.head.length, 1 + 5 + 1)
    assert.equal(chart?.table.rows[0]?.at(-1), String(4 + 3 + 2 + 1))
  })
})

describe('the time that charts show', () => {
  it('ends with the present span, and spans begin at whole hours and days', () => {
    const now = Date.UTC(2026, 10, 27, 14, 30)
    const day = figuresQueryOf('day', now)
    assert.deepEqual([day.to, day.to - day.from], [Date.UTC(2026, 10, 27, 15), 24 * hour])
    const week = figuresQueryOf('week', now)
    assert.deepEqual([week.to, week.to - week.from], [Date.UTC(2026, 10, 27, 18), 7 * 24 * hour])
    const month = figuresQueryOf('month', now)
    assert.deepEqual([month.to, month.to - month.from], [Date.UTC(2026, 10, 28), 30 * 24 * hour])
    assert.equal(spanLabel('day', now), '14:30')
    assert.equal(spanLabel('week', Date.UTC(2026, 10, 7, 6)), '7 Nov 06:00')
    assert.equal(spanLabel('month', now), '27 Nov')
    for (const range of chartRanges) {
      const { from, to, spanMs } = figuresQueryOf(range, now)
      const names = Array.from({ length: (to - from) / spanMs }, (_, at) => from + at * spanMs)
      const named = names.filter((at) => isNamed(range, at)).length
      assert.ok(named >= 6 && named <= 9, `${range}: ${named}`)
    }
  })
})

describe('the page of the charts', () => {
  it('has a drawing with a name, and a table, for each chart', async () => {
    await using site = await startAdmin({ kept: createMemoryHistory([], figures) })
    const { status, body } = await site.ask('/admin/charts?range=week')
    assert.equal(status, 200)
    assert.equal(body.match(/<svg viewBox="[^"]+" role="img" aria-labelledby="[^"]+">/g)?.length, 5)
    assert.equal(body.match(/<table/g)?.length, 6)
    assert.match(body, /<a href="\/admin\/charts\?range=week" aria-current="true">Last week<\/a>/)
    assert.match(body, /<a href="\/admin\/charts" aria-current="page">Charts<\/a>/)
    assert.doesNotMatch(body, /style="/, 'the policy of content forbids it')
    assert.ok(body.length < 40 * 1024, `${body.length} bytes`)
    assert.equal((await site.ask('/admin/charts?range=x')).status, 200)
    assert.equal((await site.ask('/admin/charts', {}, 'alice')).status, 403)
  })

  it('says so if no history is kept', async () => {
    await using site = await startAdmin()
    assert.match((await site.ask('/admin/charts')).body, /No history is kept here/)
  })
})
