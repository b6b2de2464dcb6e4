import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Entry } from '../../../history/entry.ts'
import type { HistoryReader } from '../../../history/history.ts'
import { entriesFor, firstAt } from '../../../history/testing/entries.ts'
import { createMemoryHistory } from '../../../history/testing/memory-history.ts'
import { cellOf } from '../../api/show-history.ts'
import { startAdmin } from '../../testing/admin.ts'
import { filterText, pageQueryFrom } from './read-filter.ts'
import { entryWords } from './words.ts'

const keeping = createMemoryHistory

const broken: HistoryReader = {
  keepMs: 3_600_000,
  page: () => Promise.reject(new Error('the disk is gone')),
  figures: () => Promise.reject(new Error('the disk is gone')),
}

const rowsOf = (body: string) =>
  [...body.matchAll(/<tr[^>]* data-type="([^"]+)"/g)].map(([, t]) => t)
/** Of CSV without line breaks in its cells. */
const linesOf = (csv: string) => csv.trimEnd().split('\r\n')

describe('the page of the history', () => {
  it('shows the latest entries, and leads to older ones and back', async () => {
    await using site = await startAdmin({ kept: keeping(entriesFor(120)) })
    const { status, body } = await site.ask('/admin/history')
    assert.equal(status, 200)
    assert.match(body, /<h1>History<\/h1>/)
    assert.match(body, /the last 30 days/)
    assert.equal(rowsOf(body).length, 50)
    assert.match(body, /<time datetime="2023-11-14T22:15:19.000Z">2023-11-14 22:15:19<\/time>/)
    const older = /href="(\/admin\/history\?after=[\d.]+)"/.exec(body)?.[1] ?? ''
    const second = await site.ask(older)
    assert.equal(rowsOf(second.body).length, 50)
    assert.match(second.body, /<a href="\/admin\/history">Newest entries<\/a>/)
    const last = /href="(\/admin\/history\?after=[\d.]+)"/.exec(second.body)?.[1] ?? ''
    const third = await site.ask(last)
    assert.equal(rowsOf(third.body).length, 20)
    assert.doesNotMatch(third.body, /Older entries/)
  })

  it('shows what the form asks for, and keeps it in the form, in the links and in the CSV', async () => {
    await using site = await startAdmin({ kept: keeping(entriesFor(1_000)) })
    const asked = '?user=p3&type=start&template=&search=&from=2023-11-14&to=2023-11-14'
    const { body } = await site.ask(`/admin/history${asked}`)
    assert.deepEqual(new Set(rowsOf(body)), new Set(['start']))
    assert.match(body, /name="user" value="p3"/)
    assert.match(body, /<option value="start" selected>Start<\/option>/)
    assert.match(body, /name="to" value="2023-11-14"/)
    const link =
      /href="(\/admin\/history\.csv[^"]*)"/.exec(body)?.[1]?.replaceAll('&amp;', '&') ?? ''
    const csv = await site.ask(link)
    assert.match(String(csv.headers['content-type']), /^text\/csv/)
    const [names, ...lines] = linesOf(csv.body)
    assert.match(names ?? '', /^at,type,user,template,/)
    assert.equal(lines.length, rowsOf(body).length)
    assert.ok(lines.every((line) => line.includes(',start,p3,')))
  })

  it('has everything in the CSV, over all its pages, in the order of the table', async () => {
    await using site = await startAdmin({ kept: keeping(entriesFor(1_234)) })
    const [, ...lines] = linesOf((await site.ask('/admin/history.csv')).body)
    assert.equal(lines.length, 1_234)
    const times = lines.map((line) => Date.parse(line.split(',')[0] ?? ''))
    assert.deepEqual(
      times,
      times.toSorted((a, b) => b - a),
    )
    assert.equal(times.at(-1), firstAt)
  })

  it('hazard: a name or a sentence with HTML in it: is shown as text', async () => {
    const entry: Entry = { at: 1, type: 'start', person: '<b>x</b>', detail: '<script>1</script>' }
    await using site = await startAdmin({ kept: keeping([entry]) })
    const { body } = await site.ask('/admin/history?user=%3Cb%3Ex%3C%2Fb%3E')
    assert.equal(rowsOf(body).length, 1)
    assert.ok(!body.includes('<b>x') && !body.includes('<script>1'))
  })

  it('says so if nothing is kept, if nothing fits, if the filter is wrong and if the file fails', async () => {
    await using none = await startAdmin()
    assert.match((await none.ask('/admin/history')).body, /No history is kept here/)
    assert.equal((await none.ask('/admin/history.csv')).status, 409)
    await using empty = await startAdmin({ kept: keeping([]) })
    assert.match((await empty.ask('/admin/history')).body, /No entries\./)
    for (const wrong of ['type=x', 'from=yesterday', 'after=1', 'search=' + 'x'.repeat(2_000)])
      assert.equal((await empty.ask(`/admin/history?${wrong}`)).status, 400, wrong)
    await using failing = await startAdmin({ kept: broken })
    for (const path of ['/admin/history', '/admin/history.csv', '/api/v1/admin/history'])
      assert.equal((await failing.ask(path)).status, 503, path)
  })

  it('is for administrators only, in each of its forms', async () => {
    await using site = await startAdmin({ kept: keeping(entriesFor(3)) })
    for (const path of ['/admin/history', '/admin/history.csv', '/api/v1/admin/history']) {
      const answer = await site.ask(path, {}, 'alice')
      assert.equal(answer.status, 403, path)
      assert.doesNotMatch(answer.body, /t0-p0/)
    }
  })
})

describe('the history in the API of the portal', () => {
  it('is JSON by pages, and CSV for who prefers that', async () => {
    await using site = await startAdmin({ kept: keeping(entriesFor(5)) })
    const get = async (query: string) =>
      JSON.parse((await site.ask(`/api/v1/admin/history${query}`)).body) as {
        entries: { at: string; type: string; user?: string }[]
        next?: string
      }
    const first = await get('?limit=3')
    assert.deepEqual(
      first.entries.map(({ type, user }) => [type, user]),
      [
        ['start', 'p4'],
        ['start', 'p3'],
        ['sign-in', 'p2'],
      ],
    )
    const rest = await get(`?limit=3&after=${first.next}`)
    assert.equal(rest.entries.length, 2)
    assert.equal(rest.next, undefined)
    assert.equal(
      (await get('?from=2023-11-14T22:13:22Z&to=2023-11-14T23:13:23%2B01:00')).entries.length,
      1,
    )
    const csv = await site.ask('/api/v1/admin/history?type=start', {
      headers: { accept: 'text/csv' },
    })
    assert.equal(linesOf(csv.body).length, 3)
  })
})

describe('a cell of the CSV', () => {
  it('hazard: a text that a spreadsheet would run: is text', () => {
    for (const text of ['=1+1', '+1', '-1', '@SUM(1)', '\t=1', '\r=1'])
      assert.equal(cellOf(text), `"'${text}"`)
    assert.equal(cellOf('=HYPERLINK("x")'), `"'=HYPERLINK(""x"")"`)
  })

  it('is quoted where its text needs it, and a number is a number', () => {
    assert.equal(cellOf('a,b'), '"a,b"')
    assert.equal(cellOf('a\nb'), '"a\nb"')
    assert.equal(cellOf('plain'), 'plain')
    assert.equal(cellOf(-5), '-5')
    assert.equal(cellOf(undefined), '')
  })
})

describe('the words of an entry', () => {
  for (const [entry, words] of [
    [{ type: 'stop', reason: 'idle' }, /^Nobody used it\.$/],
    [{ type: 'stop', reason: 'ended', exitCode: 3 }, /ended by itself\. Exit code 3\.$/],
    [
      { type: 'start', outcome: 'failed', reason: 'image_missing', detail: 'No such image.' },
      /is not available\. No such image\.$/,
    ],
    [{ type: 'start', outcome: 'ready' }, /^$/],
    [{ type: 'refusal', reason: 'queue_full', limit: 9 }, /^The queue is full\. The limit is 9\.$/],
    [
      { type: 'act', reason: 'stop', target: 'lab-ann', detail: 'Maintenance' },
      /^Stopped lab-ann\. Maintenance$/,
    ],
  ] as const)
    it(`are plain: ${JSON.stringify(entry)}`, () => {
      assert.match(entryWords({ at: 0, ...entry }), words)
    })
})

describe('the filter of the form', () => {
  it('has whole days in UTC, and ignores what is left empty', () => {
    const { from, to, person, search } = pageQueryFrom({
      from: '2026-01-31',
      to: '2026-01-31',
      user: ' ',
      search: 'x',
    })
    assert.equal(from, Date.UTC(2026, 0, 31))
    assert.equal(to, Date.UTC(2026, 1, 1))
    assert.deepEqual([person, search], [undefined, 'x'])
  })

  it('is written into addresses', () => {
    assert.equal(filterText({}), '')
    assert.equal(filterText({ user: 'a b&c' }, { after: '1.2' }), '?user=a+b%26c&after=1.2')
  })
})
