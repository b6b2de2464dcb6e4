// Proof 27: on the portal people see what they have and start and stop it, with a keyboard, without script, live, and no
// page of a workspace can do it for them.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser } from 'playwright-core'
import { attackOn, submitForm } from '../clients/attack.ts'
import { obstaclesIn } from '../clients/axe.ts'
import { keepScreenshot, openPage, signInWithBrowser } from '../clients/browser.ts'
import { expectFitOnEveryScreen } from '../clients/every-screen.ts'
import { focused, press } from '../clients/keyboard.ts'
import type { Deployment } from '../deployment/deployment.ts'
import { cardStates, deployPortal, momentOf, type PortalSite } from '../deployment/portal-site.ts'
import { eventually } from '../run/deadline.ts'

const common = `
x-common: &common
  image: berth/hello
  port: 8080
  user: '1000:1000'
  mem_limit: 128m
`

/** @param more the template `broken`, as long as it is broken */
const templates = (prefix: string, more = "environment: { HELLO_EXIT: '3' }") => `${common}
templates:
  board:
    <<: *common
    prefix: ${prefix}b
    title: Board
    description: A whiteboard for sketches. It keeps them in your home.
    home: { path: /home/hello }
    route: { hosts: [hello.localhost] }
    lifetime: { max: 8h, extension: 2h }
    idle: { freeze: 30m, stop: 2h }
  broken:
    <<: *common
    prefix: ${prefix}x
    title: Broken
    route: { path: /broken }
    ${more}
  resting:
    <<: *common
    prefix: ${prefix}r
    title: Resting
    route: { path: /resting }
    idle: { freeze: 2s, stop: 2h }
  slow:
    <<: *common
    prefix: ${prefix}s
    title: Slow
    route: { path: /slow }
    environment: { HELLO_START_DELAY: '600000' }
  late:
    <<: *common
    prefix: ${prefix}l
    title: A template with an unusually long name that has to be broken into several lines
    route: { path: /late }
  closed:
    <<: *common
    prefix: ${prefix}c
    title: Closed
    route: { path: /closed }
    allow: { users: [admin] }
`

describe('proof 27: the portal', () => {
  const prefix = `p${process.pid.toString(36)}`
  let site: PortalSite
  let berth: Deployment
  let portal: string
  let browser: Browser
  before(async () => {
    site = await deployPortal({
      name: 'portal',
      templates: templates(prefix),
      // An inventory tells which homes there are.
      settings: { MAX_STARTING: '1', IDP_PEOPLE: 'dave', RECONCILE_EVERY: '5s' },
    })
    ;({ berth, portal, browser } = site)
  })
  after(() => site?.[Symbol.asyncDispose]())

  it('is where the first visit leads, as no template has the root of the host', async () => {
    const page = await openPage(browser)
    await signInWithBrowser(page, `${berth.site.origin}/`, 'bob')
    await page.waitForURL(`${portal}/`)
    assert.equal(await page.textContent('h1'), 'Your workspaces')
    assert.equal(await page.locator('.tile').count(), 5)
    assert.equal(await page.locator('text=Closed').count(), 0)
    await page.context().close()
  })

  it('takes a person through start, open, restart, log, stop, failure and recovery by keyboard alone', async () => {
    const page = await site.open('alice')
    await press(page, 'Start Board')
    await cardStates(page, 'board', 'Running')
    assert.equal(await focused(page), 'Board', 'the focus stays on the card when its button goes')
    const first = await site.containerOf(`${prefix}b-alice`)

    await press(page, 'Open Board')
    await page.waitForURL('http://hello.localhost:*/**')
    await page.waitForSelector('#who')
    await page.goto(`${portal}/`)

    await press(page, 'Log of Board')
    await page.waitForSelector('text=New lines appear here')
    await page.waitForSelector('#log:has-text("listening since")')
    const other = await page.context().newPage()
    await other.goto(`http://hello.localhost:${new URL(portal).port}/print?line=from-elsewhere`)
    await page.waitForSelector('#log:has-text("from-elsewhere")', { timeout: 5_000 })
    await other.close()
    assert.deepEqual(await obstaclesIn(page), [])
    await keepScreenshot(page, 'portal-log')
    await press(page, 'Your workspaces')
    await page.waitForURL(`${portal}/`)

    await press(page, 'Restart Board')
    await eventually('another container runs', 30_000, async () => {
      const id = await site.containerOf(`${prefix}b-alice`)
      return id !== undefined && id !== first
    })
    await cardStates(page, 'board', 'Running')
    await press(page, 'Stop Board')
    await cardStates(page, 'board', 'Not running')

    await press(page, 'Start Broken')
    await cardStates(page, 'broken', 'Start failed')
    await press(page, 'Last lines of its log')
    const log = page.locator('[data-card=broken] pre')
    assert.ok(await log.isVisible())
    assert.match((await log.textContent()) ?? '', /\S/)
    assert.match((await page.textContent('[data-card=broken] .problem')) ?? '', /code 3/)
    await berth.writeTemplates(templates(prefix, 'environment: {}'))
    // The failure is forgotten, as the template has changed.
    await cardStates(page, 'broken', 'Not running')
    await press(page, 'Start Broken')
    await cardStates(page, 'broken', 'Running')
    await berth.writeTemplates(templates(prefix))
    await page.waitForSelector(
      '[data-card=broken] .update:has-text("since it was made: environment.")',
    )
    await press(page, 'Stop Broken')
    await cardStates(page, 'broken', 'Not running')
    await page.context().close()
  })

  it('computes the size of a home when its owner asks for it', async () => {
    const page = await site.open('alice')
    await page.click('[data-card=board] button:has-text("Compute its size")')
    await page.waitForSelector('[data-card=board] dd:has-text("less than 1 MiB, as of ")')
    assert.equal(await page.locator('button:has-text("Compute")').count(), 0, 'not again soon')
    assert.equal(await page.locator('[data-card=resting] dd:has-text("MiB")').count(), 0)
    await page.context().close()
  })

  it('shows what one browser does in the other within a second', async () => {
    const one = await site.open('bob')
    const two = await site.open('bob')
    await Promise.all([one, two].map((page) => page.waitForSelector('body[data-live]')))
    await one.click('[data-card=board] button:has-text("Start")')
    await Promise.all([one, two].map((page) => cardStates(page, 'board', 'Running')))
    const changed = [one, two].map((page) =>
      page.evaluate<number>(momentOf('[data-card=board] .badge', 'Not running')),
    )
    await one.click('[data-card=board] button:has-text("Stop")')
    const [here = 0, there = 0] = await Promise.all(changed)
    assert.ok(Math.abs(here - there) < 1_000, `${there - here} ms later in the other browser`)
    await Promise.all([one, two].map((page) => page.context().close()))
  })

  it('has buttons that work without script', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await site.open('carol', '/', context)
    await page.click('[data-card=board] button:has-text("Start")')
    await page.waitForURL(`${portal}/#card-board`)
    await eventually('it runs, as a reload shows', 30_000, async () => {
      await page.goto(`${portal}/`)
      return (await page.locator('[data-card=board][data-phase=ready]').count()) > 0
    })
    assert.match((await page.textContent('[data-card=board]')) ?? '', /Its time ends.*in 8 hours/s)
    await page.click('[data-card=board] button:has-text("Extend")')
    assert.match((await page.textContent('[data-card=board]')) ?? '', /in 10 hours/)
    await page.click('[data-card=board] a:has-text("Log")')
    assert.match((await page.textContent('#log')) ?? '', /listening since/)
    await page.goto(`${portal}/`)
    await page.click('[data-card=board] button:has-text("Stop")')
    await eventually('it is stopped, as a reload shows', 30_000, async () => {
      await page.goto(`${portal}/`)
      return (await page.locator('[data-card=board][data-phase=stopped]').count()) > 0
    })
    await context.close()
  })

  it('says that it may be out of date while the spawner is away, and is right again after that', async () => {
    const page = await site.open('carol')
    await page.waitForSelector('body[data-live]')
    await page.click('[data-card=board] button:has-text("Start")')
    await cardStates(page, 'board', 'Running')
    await berth.compose('stop', 'spawner')
    await page.waitForSelector('#trouble:has-text("may be out of date")')
    await berth.compose('start', 'spawner')
    await page.waitForSelector('#trouble', { state: 'hidden' })
    await cardStates(page, 'board', 'Running')
    await page.click('[data-card=board] button:has-text("Stop")')
    await cardStates(page, 'board', 'Not running')
    await page.context().close()
  })

  it('is painted before its script has arrived', async () => {
    const page = await site.open('carol')
    const held = Promise.withResolvers<void>()
    await page.route('**/portal.js', async (route) => {
      await held.promise
      await route.continue()
    })
    await page.goto(`${portal}/`, { waitUntil: 'commit' })
    await page.waitForSelector('[data-card=board] >> text=Board')
    const paints = await page.evaluate(
      'performance.getEntriesByName("first-contentful-paint").length || new Promise((seen) => new PerformanceObserver(() => seen(1)).observe({ type: "paint", buffered: true }))',
    )
    assert.equal(paints, 1)
    assert.equal(await page.locator('body[data-live]').count(), 0)
    held.resolve()
    await page.waitForSelector('body[data-live]')
    await page.context().close()
  })

  it('shows every state without an obstacle and without scrolling sideways, in light and dark, on each size of screen', async () => {
    await berth.writeTemplates(templates(prefix))
    const page = await site.open('dave')
    await page.waitForSelector('body[data-live]')
    const start = async (card: string, label: string) => {
      await page.click(`[data-card=${card}] button:has-text("Start")`)
      await cardStates(page, card, label)
    }
    await start('board', 'Running')
    await start('broken', 'Start failed')
    await page.click('[data-card=resting] button:has-text("Start")')
    await cardStates(page, 'resting', 'Paused')
    await page.click('[data-card=slow] button:has-text("Start")')
    await cardStates(page, 'slow', 'Starting')
    await page.click('[data-card=late] button:has-text("Start")')
    await cardStates(page, 'late', 'Number 1 in the queue')
    await berth.writeTemplates(
      templates(prefix)
        .replace('in your home.', 'in your home. It is new.')
        .replace('128m', '130m'),
    )
    await page.waitForSelector('[data-card=board] .update:has-text("since it was made: memory.")')
    await expectFitOnEveryScreen(page, 'portal')
    await page.click('[data-card=late] button:has-text("Leave the queue")')
    await cardStates(page, 'late', 'Not running')
    await page.click('[data-card=slow] button:has-text("Cancel")')
    await cardStates(page, 'slow', 'Not running')
    await page.context().close()
  })

  it('hazard: the page of a workspace that attacks it: changes nothing, and reads nothing', async () => {
    const page = await site.open('alice')
    await page.click('[data-card=board] button:has-text("Start")')
    await cardStates(page, 'board', 'Running')
    const name = `${prefix}b-alice`
    const before = await site.containerOf(name)
    // The worst case: the browser sends the session of the portal with the requests of every page.
    const context = page.context()
    const cookies = await context.cookies(portal)
    assert.ok(cookies.length > 0)
    await context.addCookies(
      cookies.map((cookie) => ({ ...cookie, sameSite: 'None' as const, secure: true })),
    )
    const hostile = await context.newPage()
    await hostile.goto(`http://hello.localhost:${new URL(portal).port}/`)
    await hostile.waitForSelector('#who')
    const found = await hostile.evaluate<readonly string[]>(attackOn(portal, name))
    assert.deepEqual(found, [])

    // Forms that navigate: in a new window, and in the page itself.
    for (const target of ['_blank', '_self'])
      for (const enctype of ['application/x-www-form-urlencoded', 'text/plain']) {
        await hostile.goto(`http://hello.localhost:${new URL(portal).port}/`)
        const [landed] = await Promise.all([
          target === '_blank' ? context.waitForEvent('page') : Promise.resolve(hostile),
          hostile.evaluate(submitForm(`${portal}/workspaces/${name}/stop`, enctype, target)),
        ])
        await landed.waitForSelector('text=came from another site')
        if (landed !== hostile) await landed.close()
      }

    // A navigation is a person's visit, and changes nothing.
    for (const act of [`workspaces/${name}/stop`, `workspaces/${name}/restart`]) {
      await hostile.goto(`http://hello.localhost:${new URL(portal).port}/`)
      await hostile.evaluate(`location.assign('${portal}/${act}')`)
      await hostile.waitForURL(`${portal}/**`)
    }

    const refused = (await berth.logs('director'))
      .split('\n')
      .filter((line) => line.includes('"status":403') && line.includes('"user":"alice"'))
    assert.ok(refused.length >= 4, 'the requests arrived with a session, and were refused')
    assert.equal(await site.containerOf(name), before)
    await cardStates(page, 'board', 'Running')
    await cardStates(page, 'slow', 'Not running')
    await page.context().close()
  })
})
