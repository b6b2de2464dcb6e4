// Proof 28: administrators see what runs and act on it, through the gateway, with a keyboard and without script. Nobody
// else can, and no page of a workspace can do it for them.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { attackOn, submitForm } from '../clients/attack.ts'
import { obstaclesIn } from '../clients/axe.ts'
import { keepScreenshot, openPage, signInWithBrowser } from '../clients/browser.ts'
import { expectFitOnEveryScreen } from '../clients/every-screen.ts'
import { press } from '../clients/keyboard.ts'
import { deployPortal, momentOf, type PortalSite } from '../deployment/portal-site.ts'
import { inspected } from '../engine/belongings.ts'
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
    route: { hosts: [hello.portal.localhost] }
    pass: { identity: [user, groups] }
  late:
    <<: *common
    prefix: ${prefix}l
    title: A template with an unusually long name that has to be broken into several lines
    route: { path: /late }
`

describe('proof 28: the administrator’s page', () => {
  const prefix = `a${process.pid.toString(36)}`
  let site: PortalSite
  let portal: string
  let browser: Browser
  before(async () => {
    site = await deployPortal({
      name: 'admin',
      templates: templates(prefix),
      settings: {
        MAX_WORKSPACES: '3',
        IDP_PEOPLE: 'dave',
        SUPPORT_URL: 'mailto:help@example.com',
        ADMIN_OPEN_AS: 'true',
        // One sign-in for the portal and the hosts below it.
        OAUTH2_PROXY_COOKIE_DOMAINS: 'portal.localhost',
      },
    })
    ;({ portal, browser } = site)
  })
  after(() => site?.[Symbol.asyncDispose]())

  const nameOf = (login: string) => `${prefix}b-${login}`
  const row = (login: string) => `#row-${nameOf(login)}`
  const states = (page: Page, login: string, label: string) =>
    page.waitForSelector(`${row(login)} .badge:text-is("${label}")`)
  it('is closed to anybody else: a page says whom to ask, and the attempt is audited', async () => {
    const page = await openPage(browser)
    await signInWithBrowser(page, `${portal}/admin`, 'alice')
    await page.waitForSelector('code:text-is("not_admin")')
    assert.equal(await page.textContent('h1'), 'For administrators only')
    assert.equal(await page.getAttribute('text=Ask for help', 'href'), 'mailto:help@example.com')
    assert.deepEqual(await obstaclesIn(page), [])
    await keepScreenshot(page, 'admin-refused')
    const status = await page.evaluate<number>(
      'fetch("/api/v1/admin/workspaces").then(({ status }) => status)',
    )
    assert.equal(status, 403)
    const [line] = await site.logged('admin refused')
    assert.deepEqual(
      [line?.['user'], line?.['act'], line?.['target']],
      ['alice', 'open', 'GET /admin'],
    )
    await page.goto(`${portal}/`)
    assert.equal(await page.locator('text=Administration').count(), 0)
    await page.context().close()
  })

  it('takes an administrator through restart, stop, release and removal by keyboard alone, and audits each', async () => {
    const people = [await site.start('alice', 'board'), await site.start('bob', 'board')]
    const page = await site.open('admin', '/')
    await press(page, 'Administration')
    await page.waitForURL(`${portal}/admin`)
    await page.waitForSelector('body[data-live]')
    await states(page, 'alice', 'Running')
    await states(page, 'bob', 'Running')

    const order = async (label: string, login: string, why: string, from = page) => {
      await press(from, `${label} ${nameOf(login)}`)
      await from.waitForSelector('#why:focus')
      await from.keyboard.type(why)
      await from.keyboard.press('Enter')
      await from.waitForURL(/\/admin\?notice=/)
      await from.waitForSelector('body[data-live]')
    }
    const first = await site.containerOf(nameOf('alice'))
    assert.ok(first !== undefined)
    await order('Restart', 'alice', 'it hangs')
    await eventually('another container of alice runs', 60_000, async () => {
      const id = await site.containerOf(nameOf('alice'))
      return id !== undefined && id !== first
    })
    await states(page, 'alice', 'Running')

    await order('Stop', 'bob', 'the course is over')
    await states(page, 'bob', 'Not running')
    assert.equal(await site.containerOf(nameOf('bob')), undefined)
    assert.equal((await inspected(site.berth.engine, nameOf('bob'))).State.Status, 'exited')

    await order('Remove', 'bob', 'make room')
    await page.waitForSelector(row('bob'), { state: 'detached' })
    await assert.rejects(inspected(site.berth.engine, nameOf('bob')))

    assert.deepEqual(
      (await site.logged('admin acted')).map(({ user, act, target, why }) => [
        user,
        act,
        target,
        why,
      ]),
      [
        ['admin', 'restart', nameOf('alice'), 'it hangs'],
        ['admin', 'stop', nameOf('bob'), 'the course is over'],
        ['admin', 'remove', nameOf('bob'), 'make room'],
      ],
    )
    for (const one of [...people, page]) await one.context().close()
  })

  it('works without script: who waits, the filter, and an action', async () => {
    const people = [
      await site.start('alice', 'late'),
      await site.start('bob', 'late'),
      await site.start('carol', 'late'),
    ]
    await people[2]?.waitForSelector('[data-card=late] .badge:text-is("Number 1 in the queue")')
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await site.open('admin', '/admin', context)
    assert.match((await page.textContent('.queue')) ?? '', /carol.*all places are taken/s)
    await page.fill('#person', 'CAROL')
    await page.click('button:has-text("Filter")')
    assert.equal(await page.locator('[data-row]').count(), 1)
    await page.click('[data-row] a:has-text("Release place")')
    await page.fill('#why', 'carol asked for it')
    await page.click('button:has-text("Release place")')
    await page.waitForURL(/notice=release/)
    assert.equal(await page.textContent('#queue-title + p'), 'Nobody waits.')
    await people[2]?.waitForSelector('[data-card=late] .badge:text-is("Not running")')
    for (const one of people) await one.context().close()
    await context.close()
  })

  it('shows what one administrator does to the other within a second', async () => {
    const [one, two] = [await site.open('admin', '/admin'), await site.open('admin', '/admin')]
    await Promise.all([one, two].map((page) => page.waitForSelector('body[data-live]')))
    const changed = two.evaluate<number>(
      momentOf(`${row('alice')} .badge`, 'Stopping', 'Not running'),
    )
    const status = await one.evaluate<number>(
      `fetch('/api/v1/admin/workspaces/${nameOf('alice')}/stop', { method: 'POST' }).then(({ status }) => status)`,
    )
    const at = Date.now()
    assert.equal(status, 202)
    const ms = (await changed) - at
    assert.ok(ms < 1_000, `${ms} ms later`)
    await Promise.all([one, two].map((page) => page.context().close()))
  })

  it('shows every state without an obstacle and without scrolling sideways, in light and dark, on each size of screen', async () => {
    const people = [await site.start('alice', 'board'), await site.start('dave', 'late')]
    const page = await site.open('admin', '/admin')
    await page.waitForSelector('body[data-live]')
    await states(page, 'alice', 'Running')
    await page.waitForSelector('.badge:has-text("in the queue")')
    for (const path of ['/admin', `/admin/workspaces/${nameOf('alice')}/stop`]) {
      await page.goto(portal + path)
      await expectFitOnEveryScreen(page, `admin-${path === '/admin' ? 'now' : 'question'}`)
    }
    for (const one of [...people, page]) await one.context().close()
  })

  it('opens a workspace as its owner, who is told within a second, until the administrator ends it', async () => {
    const owner = await site.open('alice', '/')
    await owner.waitForSelector('body[data-live]')
    const page = await site.open('admin', '/admin')
    await page.waitForSelector('body[data-live]')
    await states(page, 'alice', 'Running')
    await press(page, `Open as alice in ${nameOf('alice')}`)
    await page.waitForSelector('#why:focus')
    await expectFitOnEveryScreen(page, 'admin-open-as-question')
    await page.keyboard.type('alice asked for help')
    const told = owner.waitForSelector('[data-card=board] .notice:has-text("has opened this")')
    await page.keyboard.press('Enter')
    await page.waitForURL(/admin\/open-as\?notice=opened/)
    const at = Date.now()
    assert.match((await (await told).textContent()) ?? '', /admin .*as you.*alice asked for help/)
    assert.ok(Date.now() - at < 1_000, 'the owner is told within a second')
    await expectFitOnEveryScreen(page, 'admin-open-as')
    await owner.setViewportSize({ width: 1280, height: 800 })
    await keepScreenshot(owner, 'portal-opened')

    const [opened] = await Promise.all([
      page.context().waitForEvent('page'),
      press(page, `Open ${nameOf('alice')} as alice`),
    ])
    await opened.waitForSelector('#who')
    const { origin, hostname } = new URL(opened.url())
    assert.match(hostname, /^as-[0-9a-f]{32}\.portal\.localhost$/)
    const identity = await opened.evaluate<readonly (readonly [string, string])[]>(
      'fetch("/echo").then((answer) => answer.json()).then(({ headers }) => headers)',
    )
    const headers = new Map(identity.map(([name, value]) => [name.toLowerCase(), value]))
    assert.equal(headers.get('x-forwarded-preferred-username'), 'alice')
    assert.doesNotMatch(JSON.stringify(identity), /admin|_oauth2_proxy/)
    assert.equal(await opened.evaluate('opener'), null)

    // Nobody else reaches it there, and its page can do nothing at the portal.
    assert.equal(await statusAt(owner, `${origin}/`), 403)
    const audited = (await site.logged('admin acted')).length
    assert.deepEqual(await opened.evaluate(attackOn(portal, nameOf('alice'))), [])
    for (const action of [`/admin/open-as/${nameOf('bob')}`, '/admin/open-as/end']) {
      const target = await opened.context().newPage()
      await target.goto(origin)
      await target.evaluate(
        submitForm(portal + action, 'application/x-www-form-urlencoded', '_self'),
      )
      await target.waitForSelector('text=came from another site')
      await target.close()
    }
    assert.equal((await site.logged('admin acted')).length, audited)

    // What is open at the end is cut.
    await opened.goto(origin)
    await opened.evaluate(
      'new Promise((open) => { globalThis.socket = new WebSocket(`ws://${location.host}/ws`); socket.onopen = open })',
    )
    const closed = opened.evaluate(
      'new Promise((close) => { socket.onclose = () => close("closed") })',
    )
    await press(page, `End ${nameOf('alice')}`)
    await page.waitForURL(/notice=ended/)
    assert.equal(await closed, 'closed')
    assert.notEqual(await statusAt(page, `${origin}/`), 200)
    await owner.waitForSelector('[data-card=board] .notice:has-text("and left it at")')

    const acts = (await site.logged('admin acted')).slice(-2)
    assert.deepEqual(
      acts.map(({ act, target, why }) => [act, target, why]),
      [
        ['open-as', `${nameOf('alice')} as alice`, 'alice asked for help'],
        ['end-open-as', `${nameOf('alice')} as alice`, undefined],
      ],
    )
    await page.goto(`${portal}/admin/history?type=act`)
    assert.match(
      (await page.textContent('table.history')) ?? '',
      /Opened as its owner: \S+ as alice\. alice asked for help/,
    )
    for (const one of [owner, page]) await one.context().close()
  })

  it('tells everybody what holds in the house, also after a restart, and lets people in again by a click', async () => {
    const [waits, carol] = [await site.open('dave', '/'), await site.open('carol', '/')]
    await carol.waitForSelector('body[data-live]')
    const start = (page: Page, template: string) =>
      page.evaluate<string>(
        `fetch('/api/v1/workspaces', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ template: '${template}' }) }).then((answer) => answer.json()).then(({ code, phase }) => code ?? phase)`,
      )
    assert.equal(await start(waits, 'late'), 'queued')
    const page = await site.open('admin', '/admin/house')
    const say = async (field: string, text: string, button: string) => {
      await page.focus(field)
      await page.keyboard.type(text)
      await press(page, button)
      await page.waitForURL(/notice=saved/)
      await page.goto(`${portal}/admin/house`)
    }
    await say('#message', 'The disks are replaced on Friday.', 'Announce')
    await say('#maintenance', 'New disks.', 'Admit nobody new')
    await press(page, 'Close Board')
    // The form needs a reason first, and has the focus there.
    await page.keyboard.type('There is an exam.')
    await page.keyboard.press('Enter')
    await page.waitForURL(/notice=saved/)

    const holds = async () => {
      await carol.goto(`${portal}/`)
      await carol.waitForSelector('.message:has-text("replaced on Friday")')
      await carol.waitForSelector('[data-card=late] .problem:has-text("New disks.")')
      assert.equal(await start(carol, 'late'), 'maintenance')
      const opened = await carol.context().newPage()
      await opened.goto(`http://hello.portal.localhost:${new URL(portal).port}/.berth/`)
      await opened.waitForSelector('.message:has-text("replaced on Friday")')
      await opened.close()
    }
    await holds()
    // A place becomes free, and nobody gets it.
    await page.evaluate(`fetch('/api/v1/admin/workspaces/${prefix}l-bob', { method: 'DELETE' })`)
    await eventually('the workspace of bob is gone', 30_000, async () => {
      return (await site.containerOf(`${prefix}l-bob`)) === undefined
    })
    await site.berth.compose('restart', 'spawner')
    await eventually('the spawner answers again', 60_000, async () => {
      return (await carol.goto(`${portal}/`))?.status() === 200
    })
    await holds()
    assert.ok((await site.containerOf(nameOf('alice'))) !== undefined, 'what runs goes on')
    assert.equal(await site.containerOf(`${prefix}l-dave`), undefined)
    await page.goto(`${portal}/admin/house`)
    await expectFitOnEveryScreen(page, 'admin-house')
    await carol.setViewportSize({ width: 1280, height: 800 })
    await keepScreenshot(carol, 'portal-house')

    for (const button of ['Admit people again', 'Open again Board', 'Remove the message']) {
      await press(page, button)
      await page.waitForURL(/notice=saved/)
      await page.goto(`${portal}/admin/house`)
    }
    await start(waits, 'late')
    await eventually('dave has a workspace', 60_000, async () => {
      return (await site.containerOf(`${prefix}l-dave`)) !== undefined
    })
    await carol.goto(`${portal}/`)
    assert.equal(await carol.locator('.message').count(), 0)
    const acts = (await site.logged('admin acted')).map(({ act }) => act)
    for (const act of ['announce', 'drain', 'close-template', 'admit', 'open-template', 'silence'])
      assert.ok(acts.includes(act), act)
    for (const one of [waits, carol, page]) await one.context().close()
  })

  it('hazard: the page of a workspace that attacks it in the administrator’s browser: changes nothing, and reads nothing', async () => {
    const page = await site.open('admin', '/admin')
    // Makes room for the administrator's own workspace.
    for (const [method, path] of [['DELETE', `${prefix}l-dave`]])
      await page.evaluate(`fetch('/api/v1/admin/workspaces/${path}', { method: '${method}' })`)
    const own = await site.start('admin', 'board')
    await own.waitForSelector('[data-card=board] .badge:text-is("Running")')
    const victim = nameOf('alice')
    const before = await site.containerOf(victim)
    assert.ok(before !== undefined)
    const audited = (await site.logged('admin acted')).length
    // The worst case: the browser sends the session of the portal with the requests of every page.
    const context = own.context()
    const cookies = await context.cookies(portal)
    assert.ok(cookies.length > 0)
    await context.addCookies(
      cookies.map((cookie) => ({ ...cookie, sameSite: 'None' as const, secure: true })),
    )
    const hostile = await context.newPage()
    const address = `http://hello.portal.localhost:${new URL(portal).port}/`
    await hostile.goto(address)
    await hostile.waitForSelector('#who')
    assert.deepEqual(await hostile.evaluate<readonly string[]>(attackOn(portal, victim)), [])
    for (const action of [
      `/admin/workspaces/${victim}/stop`,
      `/api/v1/admin/workspaces/${victim}/stop`,
      `/admin/open-as/${victim}`,
      '/admin/house/maintain',
    ]) {
      await hostile.goto(address)
      await hostile.evaluate(
        submitForm(portal + action, 'application/x-www-form-urlencoded', '_self'),
      )
      await hostile.waitForSelector('text=came from another site')
    }
    assert.equal(await site.containerOf(victim), before)
    assert.equal((await site.logged('admin acted')).length, audited)
    for (const one of [page, own]) await one.context().close()
  })
})

/** What a person gets at another address, by a tab of the same browser. */
async function statusAt(page: Page, address: string): Promise<number | undefined> {
  const tab = await page.context().newPage()
  try {
    return (await tab.goto(address))?.status()
  } finally {
    await tab.close()
  }
}
