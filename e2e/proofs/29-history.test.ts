// Proof 29: what happened is in the history: administrators find it as a table, as CSV, in the API and in charts, and
// nobody else does.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Page } from 'playwright-core'
import { expectFitOnEveryScreen } from '../clients/every-screen.ts'
import { cardStates, deployPortal, type PortalSite } from '../deployment/portal-site.ts'
import { eventually } from '../run/deadline.ts'

const templates = (prefix: string) => `
x-common: &common
  image: berth/hello
  port: 8080
  user: '1000:1000'
  mem_limit: 128m
templates:
  board:
    <<: *common
    prefix: ${prefix}b
    title: Board
    route: { hosts: [hello.localhost] }
    idle: { freeze: 2s, stop: 2h }
  broken:
    <<: *common
    prefix: ${prefix}x
    title: Broken
    route: { path: /broken }
    environment: { HELLO_EXIT: '3' }
`

interface Entry {
  readonly at: string
  readonly type: string
  readonly user?: string
  readonly workspace?: string
  readonly start?: string
  readonly outcome?: string
  readonly reason?: string
  readonly limit?: number
  readonly waitedMs?: number
  readonly tookMs?: number
  readonly ranMs?: number
  readonly exitCode?: number
  readonly steps?: Readonly<Record<string, number>>
  readonly target?: string
  readonly detail?: string
}

describe('proof 29: the history', () => {
  const prefix = `h${process.pid.toString(36)}`
  const board = `${prefix}b-alice`
  let site: PortalSite
  let portal: string
  let admin: Page
  before(async () => {
    site = await deployPortal({
      name: 'history',
      templates: templates(prefix),
      settings: { MAX_WORKSPACES_PER_USER: '1' },
    })
    ;({ portal } = site)
    admin = await site.open('admin', '/admin/history')
  })
  after(() => site?.[Symbol.asyncDispose]())

  const post = (page: Page, path: string, body?: object) =>
    page.evaluate<number>(
      `fetch('/api/v1${path}', { method: 'POST', ${
        body === undefined
          ? ''
          : `headers: { 'content-type': 'application/json' }, body: ${JSON.stringify(JSON.stringify(body))}`
      } }).then(({ status }) => status)`,
    )

  /** As the API has them, the latest first. */
  const entries = (query: string) =>
    admin.evaluate<readonly Entry[]>(
      `fetch('/api/v1/admin/history${query}').then((answer) => answer.json()).then(({ entries }) => entries)`,
    )

  async function eventuallyTells(query: string, ...types: readonly string[]) {
    await eventually(`the history has ${types.join(', ')}`, 30_000, async () => {
      const told = (await entries(query)).map(({ type }) => type)
      return told.join() === types.join()
    })
    return entries(query)
  }

  it('has a sign-in, a start, a refusal, a freeze and a stop with their values', async () => {
    const alice = await site.open('alice', '/')
    await alice.waitForSelector('body[data-live]')
    await alice.click('[data-card=board] button:has-text("Start")')
    await cardStates(alice, 'board', 'Running')
    assert.equal(await post(alice, '/workspaces', { template: 'broken' }), 429)
    await cardStates(alice, 'board', 'Paused')
    assert.equal(await post(alice, `/workspaces/${board}/stop`), 202)
    await cardStates(alice, 'board', 'Not running')

    const told = await eventuallyTells(
      '?user=alice',
      'stop',
      'freeze',
      'refusal',
      'start',
      'sign-in',
    )
    const [stop, freeze, refusal, start] = told
    assert.deepEqual([stop?.reason, stop?.workspace], ['asked', board])
    assert.ok((stop?.ranMs ?? 0) > 2_000, `it ran ${stop?.ranMs} ms`)
    assert.deepEqual([freeze?.reason, freeze?.workspace], ['idle', board])
    assert.deepEqual([refusal?.reason, refusal?.limit], ['limit_user', 1])
    assert.deepEqual(
      [start?.start, start?.outcome, start?.waitedMs, start?.workspace],
      ['cold', 'ready', 0, board],
    )
    const { pulling = 0, creating = 0, starting = 0, probing = 0 } = start?.steps ?? {}
    const sum = pulling + creating + starting + probing
    assert.ok(creating > 0 && Math.abs(sum - (start?.tookMs ?? 0)) < 10, JSON.stringify(start))
    await alice.context().close()
  })

  it('has a start that failed, with its exit code, and what an administrator did', async () => {
    const bob = await site.open('bob', '/')
    await bob.waitForSelector('body[data-live]')
    await bob.click('[data-card=broken] button:has-text("Start")')
    await cardStates(bob, 'broken', 'Start failed')
    const [failed] = await eventuallyTells('?user=bob', 'start', 'sign-in')
    assert.deepEqual(
      [failed?.start, failed?.outcome, failed?.reason, failed?.exitCode],
      ['cold', 'failed', 'start_failed', 3],
    )
    await bob.context().close()

    const why = 'the course is over'
    const status = await admin.evaluate<number>(
      `fetch('/api/v1/admin/workspaces/${board}', { method: 'DELETE', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ why: '${why}' }) }).then(({ status }) => status)`,
    )
    assert.equal(status, 202)
    const [act] = await eventuallyTells('?type=act', 'act')
    assert.deepEqual(
      [act?.user, act?.reason, act?.target, act?.detail, act?.outcome],
      ['admin', 'remove', board, why, 'done'],
    )
  })

  it('has the same entries in the table and in the CSV, and the form chooses among them', async () => {
    await admin.goto(`${portal}/admin/history`)
    const times = await timesIn(admin)
    const csv = await admin.evaluate<string>(
      `fetch('/admin/history.csv').then((answer) => answer.text())`,
    )
    const [names, ...lines] = csv.trimEnd().split('\r\n')
    assert.equal(names?.split(',')[0], 'at')
    assert.deepEqual(
      lines.map((line) => line.split(',')[0]),
      times,
    )
    assert.ok(times.length >= 8)

    await admin.fill('[name=user]', 'alice')
    await admin.selectOption('[name=type]', 'refusal')
    await admin.click('button:text-is("Show")')
    await admin.waitForURL(/type=refusal/)
    assert.equal((await timesIn(admin)).length, 1)
    assert.match(
      (await admin.textContent('table.history')) ?? '',
      /as many workspaces as one person may have.*The limit is 1\./s,
    )
    const [link] = await Promise.all([
      admin.waitForEvent('download'),
      admin.click('text=Download all that fit as CSV'),
    ])
    assert.equal(link.suggestedFilename(), 'berth-history.csv')
  })

  it('is closed to anybody else', async () => {
    const alice = await site.open('alice', '/')
    for (const path of ['/admin/history', '/admin/history.csv', '/api/v1/admin/history'])
      assert.equal(
        await alice.evaluate<number>(`fetch('${path}').then(({ status }) => status)`),
        403,
        path,
      )
    await alice.context().close()
  })

  it('is shown without an obstacle and without scrolling sideways, in light and dark, on each size of screen', async () => {
    for (const path of pages) {
      await admin.goto(portal + path)
      await expectFitOnEveryScreen(admin, path.slice(7).replaceAll(/\W+/g, '-'))
    }
  })
})

const pages = ['/admin/history', '/admin/charts', '/admin/charts?range=month']

const timesIn = (page: Page) =>
  page
    .locator('table.history time')
    .evaluateAll((all) =>
      (all as { getAttribute(name: string): string | null }[]).map((one) =>
        one.getAttribute('datetime'),
      ),
    )
