// Proof 28: administrators see what runs and act on it, through the gateway, with a keyboard and without script. Nobody
// else can, and no page of a workspace can do it for them.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { attackOn, submitForm } from '../clients/attack.ts'
import { obstaclesIn } from '../clients/axe.ts'
import { keepScreenshot, openBrowser, openPage, signInWithBrowser } from '../clients/browser.ts'
import { expectFitOnEveryScreen } from '../clients/every-screen.ts'
import { press } from '../clients/keyboard.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
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
    route: { hosts: [hello.localhost] }
  late:
    <<: *common
    prefix: ${prefix}l
    title: A template with an unusually long name that has to be broken into several lines
    route: { path: /late }
`

describe('proof 28: the administrator’s page', () => {
  const prefix = `a${process.pid.toString(36)}`
  let berth: Deployment
  let portal: string
  let browser: Browser & AsyncDisposable
  before(async () => {
    berth = await deploy({
      name: 'admin',
      portal: true,
      templates: templates(prefix),
      template: { CONTAINER_IMAGE: '', CONTAINER_HOST_PREFIX: '', CONTAINER_PORT: '' },
      settings: { MAX_WORKSPACES: '3', IDP_PEOPLE: 'dave', SUPPORT_URL: 'mailto:help@example.com' },
    })
    portal = berth.siteAt('portal.localhost').origin
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
  })

  async function open(login: string, path: string, context?: BrowserContext): Promise<Page> {
    const page = context === undefined ? await openPage(browser) : await context.newPage()
    page.setDefaultTimeout(60_000)
    await signInWithBrowser(page, portal + path, login)
    await page.waitForURL(portal + path)
    return page
  }

  /** A person starts something on the portal, and stays on the page. */
  async function start(login: string, card: string): Promise<Page> {
    const page = await open(login, '/')
    await page.waitForSelector('body[data-live]')
    await page.click(`[data-card=${card}] button:has-text("Start")`)
    return page
  }

  const nameOf = (login: string) => `${prefix}b-${login}`
  const row = (login: string) => `#row-${nameOf(login)}`
  const states = (page: Page, login: string, label: string) =>
    page.waitForSelector(`${row(login)} .badge:text-is("${label}")`)
  const logged = async (message: string) =>
    (await berth.logs('spawner'))
      .split('\n')
      .filter((line) => line.includes(`"message":"${message}"`))
      .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>)

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
    const [line] = await logged('admin refused')
    assert.deepEqual(
      [line?.['user'], line?.['act'], line?.['target']],
      ['alice', 'open', 'GET /admin'],
    )
    await page.goto(`${portal}/`)
    assert.equal(await page.locator('text=Administration').count(), 0)
    await page.context().close()
  })

  it('takes an administrator through restart, stop, release and removal by keyboard alone, and audits each', async () => {
    const people = [await start('alice', 'board'), await start('bob', 'board')]
    const page = await open('admin', '/')
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
    const first = await containerOf(berth, nameOf('alice'))
    assert.ok(first !== undefined)
    await order('Restart', 'alice', 'it hangs')
    await eventually('another container of alice runs', 60_000, async () => {
      const id = await containerOf(berth, nameOf('alice'))
      return id !== undefined && id !== first
    })
    await states(page, 'alice', 'Running')

    await order('Stop', 'bob', 'the course is over')
    await states(page, 'bob', 'Not running')
    assert.equal(await containerOf(berth, nameOf('bob')), undefined)
    assert.equal((await inspected(berth.engine, nameOf('bob'))).State.Status, 'exited')

    await order('Remove', 'bob', 'make room')
    await page.waitForSelector(row('bob'), { state: 'detached' })
    await assert.rejects(inspected(berth.engine, nameOf('bob')))

    assert.deepEqual(
      (await logged('admin acted')).map(({ user, act, target, why }) => [user, act, target, why]),
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
      await start('alice', 'late'),
      await start('bob', 'late'),
      await start('carol', 'late'),
    ]
    await people[2]?.waitForSelector('[data-card=late] .badge:text-is("Number 1 in the queue")')
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await open('admin', '/admin', context)
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
    const [one, two] = [await open('admin', '/admin'), await open('admin', '/admin')]
    await Promise.all([one, two].map((page) => page.waitForSelector('body[data-live]')))
    const changed = two.evaluate<number>(momentOf(nameOf('alice'), 'Stopping', 'Not running'))
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
    const people = [await start('alice', 'board'), await start('dave', 'late')]
    const page = await open('admin', '/admin')
    await page.waitForSelector('body[data-live]')
    await states(page, 'alice', 'Running')
    await page.waitForSelector('.badge:has-text("in the queue")')
    for (const path of ['/admin', `/admin/workspaces/${nameOf('alice')}/stop`]) {
      await page.goto(portal + path)
      await expectFitOnEveryScreen(page, `admin-${path === '/admin' ? 'now' : 'question'}`)
    }
    for (const one of [...people, page]) await one.context().close()
  })

  it('hazard: the page of a workspace that attacks it in the administrator’s browser: changes nothing, and reads nothing', async () => {
    const page = await open('admin', '/admin')
    // Makes room for the administrator's own workspace.
    for (const [method, path] of [
      ['POST', `${prefix}l-dave/release`],
      ['DELETE', `${prefix}l-bob`],
    ])
      await page.evaluate(`fetch('/api/v1/admin/workspaces/${path}', { method: '${method}' })`)
    const own = await start('admin', 'board')
    await own.waitForSelector('[data-card=board] .badge:text-is("Running")')
    const victim = nameOf('alice')
    const before = await containerOf(berth, victim)
    assert.ok(before !== undefined)
    const audited = (await logged('admin acted')).length
    // The worst case: the browser sends the session of the portal with the requests of every page.
    const context = own.context()
    const cookies = await context.cookies(portal)
    assert.ok(cookies.length > 0)
    await context.addCookies(
      cookies.map((cookie) => ({ ...cookie, sameSite: 'None' as const, secure: true })),
    )
    const hostile = await context.newPage()
    const address = `http://hello.localhost:${new URL(portal).port}/`
    await hostile.goto(address)
    await hostile.waitForSelector('#who')
    assert.deepEqual(await hostile.evaluate<readonly string[]>(attackOn(portal, victim)), [])
    for (const action of [
      `/admin/workspaces/${victim}/stop`,
      `/api/v1/admin/workspaces/${victim}/stop`,
    ]) {
      await hostile.goto(address)
      await hostile.evaluate(
        submitForm(portal + action, 'application/x-www-form-urlencoded', '_self'),
      )
      await hostile.waitForSelector('text=came from another site')
    }
    assert.equal(await containerOf(berth, victim), before)
    assert.equal((await logged('admin acted')).length, audited)
    for (const one of [page, own]) await one.context().close()
  })
})

/** @returns its id if it runs */
async function containerOf(berth: Deployment, name: string): Promise<string | undefined> {
  try {
    const { Id, State } = await inspected(berth.engine, name)
    return State.Status === 'running' ? Id : undefined
  } catch {
    return undefined
  }
}

/** For the browser: when the row gets one of the labels, on the clock of the machine. */
const momentOf = (name: string, ...labels: string[]): string => `new Promise((resolve) => {
  const look = () => {
    const badge = document.querySelector('#row-${name} .badge')
    if (${JSON.stringify(labels)}.includes(badge?.textContent)) resolve(Date.now())
  }
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true })
})`
