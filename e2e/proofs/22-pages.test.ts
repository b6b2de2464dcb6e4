// Proof 22: the pages that people see do their work whatever is between them and Berth, and people manage their own
// workspaces there.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import {
  keepScreenshot,
  openBrowser,
  openPage,
  openProfile,
  signInWithBrowser,
  type TestBrowser,
} from '../clients/browser.ts'
import { holdAnswers, holdStreams } from '../clients/holding-relay.ts'
import { rawPath } from '../clients/raw-answer.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { inspected } from '../engine/belongings.ts'
import { watchEngine } from '../engine/history.ts'
import { eventually, letPass, within } from '../run/deadline.ts'

describe('proof 22: the pages', () => {
  let berth: Deployment
  let browser: Browser & TestBrowser
  before(async () => {
    berth = await deploy({
      name: 'pages',
      settings: {
        IDP_PEOPLE: 'dora,emil,fred,gina',
        CONTAINER_ENV_HELLO_START_DELAY: '6000',
      },
      templates: sevenTemplate,
    })
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
  })

  for (const [lets, login] of [
    ['nothing', 'alice'],
    ['first', 'bob'],
  ] as const)
    it(`opens the workspace although ${lets === 'first' ? 'a stream falls silent after its first event' : 'no event of a stream arrives'}`, async () => {
      await using relay = await holdStreams(berth.site, lets)
      const page = await openPage(browser)
      await signInWithBrowser(page, `${berth.site.origin}/.berth/`, login)
      await page.waitForURL('**/.berth/')
      await page.goto(`${relay.origin}/`)
      assert.equal(await page.getAttribute('body', 'data-kind'), 'loading')
      await page.waitForSelector('#who')
      assert.ok(relay.streams() >= 1, 'the page opened a stream, and the relay held it back')
      await page.context().close()
    })

  it('opens one stream for seven tabs, so that the seventh and the application are answered', async () => {
    const context = await browser.newContext()
    const first = await context.newPage()
    await signInWithBrowser(first, `${berth.site.origin}/.berth/`, 'carol')
    await first.waitForURL('**/.berth/')
    await first.close()
    const streams = countStreams(context)
    const tabs = await openTabs(context, `${berth.site.origin}/seven/`, 7)
    for (const tab of tabs)
      assert.equal(await tab.getAttribute('body', 'data-kind'), 'loading', tab.url())
    let left = 0
    for (const tab of tabs) tab.on('framenavigated', () => (left += 1))
    const status = await within(
      60_000,
      'a request of the seventh tab is answered',
      tabs[6]?.evaluate(async () => (await fetch('/seven/.berth/status')).status) ??
        Promise.reject(new Error('no tab')),
    )
    assert.equal(status, 200)
    assert.equal(left, 0, 'it is answered while all seven wait')
    assert.equal(streams.most(), 1)
    await Promise.all(tabs.map((tab) => tab.waitForSelector('#who')))
    await context.close()
  })

  it('opens no stream in a hidden tab, which keeps its place and opens the workspace all the same', async () => {
    const context = await browser.newContext()
    await context.addInitScript({ content: hidden })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await signInWithBrowser(page, `${berth.site.origin}/.berth/`, 'dora')
    await page.waitForURL('**/.berth/')
    const streams = countStreams(context)
    await page.goto(`${berth.site.origin}/`)
    assert.equal(await page.getAttribute('body', 'data-kind'), 'loading')
    await page.waitForSelector('#who')
    assert.equal(streams.most(), 0)
    await context.close()
  })

  it('opens the workspace by itself although the browser aborts what it loads because its machine got another address', async () => {
    const context = await browser.newContext()
    const first = await context.newPage()
    await signInWithBrowser(first, `${berth.site.origin}/.berth/`, 'emil')
    await first.waitForURL('**/.berth/')
    await using relay = await holdAnswers(
      berth.site,
      (path) => path.includes('/.berth/assets/') || path.includes('?hold='),
    )
    // A browser opens six connections to a host. All but one of them are taken, so that the files of the page wait.
    await first.goto(`${relay.origin}/.berth/status`)
    await first.evaluate(`for (let n = 0; n < 5; n += 1) fetch('/.berth/status?hold=' + n)\n0`)
    await relay.held(5)

    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const aborted = page.waitForEvent('requestfailed', (request) =>
      request.url().includes('/.berth/assets/'),
    )
    await page.goto(`${relay.origin}/`, { waitUntil: 'commit' })
    await within(20_000, 'the page loads its files', relay.held(6))
    await browser.changeNetwork()
    assert.equal((await aborted).failure()?.errorText, 'net::ERR_NETWORK_CHANGED')
    await first.close()
    relay.letGo()
    await page.waitForSelector('#who')
    await context.close()
  })
})

/** Runs in the browser before the scripts of the page: no tab of a browser without windows is hidden by itself. */
const hidden = `
  Object.defineProperty(document, 'hidden', { get: () => true })
  Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })
`

/** Its loading page is shown until seven tabs are open, however busy the machine is. */
const sevenTemplate = `
templates:
  seven:
    image: berth/hello
    port: 8080
    user: '1000:1000'
    environment: { HELLO_START_DELAY: 20000 }
    route: { path: { prefix: /seven, strip: true } }
`

/** Several tabs of one person, opened beside each other. */
async function openTabs(context: BrowserContext, address: string, count: number) {
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const tab = await context.newPage()
      tab.setDefaultTimeout(60_000)
      await tab.goto(`${address}?tab=${n}`)
      return tab
    }),
  )
}

/** How many event streams the tabs of a person have open. */
function countStreams(context: BrowserContext) {
  let open = 0
  let most = 0
  context.on('request', (request) => {
    if (!request.url().includes('/.berth/events')) return
    open += 1
    most = Math.max(most, open)
  })
  const ended = (request: { url(): string }): void => {
    if (request.url().includes('/.berth/events')) open -= 1
  }
  context.on('requestfailed', ended)
  context.on('requestfinished', ended)
  return { most: () => most }
}

describe('proof 22: people manage their workspaces', () => {
  let berth: Deployment
  let browser: Browser & AsyncDisposable
  before(async () => {
    berth = await deploy({
      name: 'manage',
      settings: {
        MAX_WORKSPACES_PER_USER: '1',
        CONTAINER_STOP_TIMEOUT: '1s',
        CONTAINER_TITLE: 'Hello',
        CONTAINER_MAX_LIFETIME: '10h',
        CONTAINER_EXTENSION: '2h',
        IDP_PEOPLE: 'dora,emil,fred,gina,hugo,ida,ines,jost',
      },
      templates: boardTemplate,
    })
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
  })

  /** A tab of a person whose workspace runs. */
  async function arrived(login: string, options: { readonly script: boolean }): Promise<Page> {
    const context = await openProfile(browser, options)
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await signInWithBrowser(page, `${berth.site.origin}/`, login)
    await page.waitForSelector('#who')
    return page
  }

  for (const [script, login] of [
    [true, 'alice'],
    [false, 'bob'],
  ] as const)
    it(`shows when a workspace ends, extends it, restarts it and stops it, ${script ? 'with' : 'without'} JavaScript`, async () => {
      const page = await arrived(login, { script })
      const generation = await idOf(berth, login)
      await page.goto(`${berth.site.origin}/.berth/`)
      assert.match(await page.innerText('h1'), /is running/)
      const end = Date.parse((await page.getAttribute('time', 'datetime')) ?? '')
      await keepScreenshot(page, `22-running-${script ? 'script' : 'plain'}`)
      await page.click('form[action="/.berth/extend"] button')
      await page.waitForSelector('form[action="/.berth/extend"]', { state: 'detached' })
      const extended = Date.parse((await page.getAttribute('time', 'datetime')) ?? '')
      assert.equal(extended - end, 2 * 3_600_000)

      await page.click('form[action="/.berth/restart"] button')
      await page.waitForSelector('#who')
      const restarted = await idOf(berth, login)
      assert.notEqual(restarted, generation, 'a restart makes a new container')

      await page.goto(`${berth.site.origin}/.berth/`)
      await page.click('form[action="/.berth/stop"] button')
      await page.waitForSelector('h1:has-text("is not running")')
      assert.equal(await idOf(berth, login), restarted, 'a stop keeps the container')
      await page.click('form[action="/.berth/start"] button')
      await page.waitForSelector('#who')
      await page.context().close()
    })

  it('opens the application in a browser on this machine only when the container has the address at which it aborts what it loads', async () => {
    await using history = await watchEngine(berth.engine)
    const context = await browser.newContext()
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    let asked = 0
    page.on('request', (request) => {
      if (request.isNavigationRequest()) asked = Date.now()
    })
    await signInWithBrowser(page, `${berth.site.origin}/`, 'emil')
    await page.waitForSelector('#who')
    const name = berth.workspaceName('emil')
    const started = await history.first('it starts', 1_000, (event) => {
      return event.action === 'start' && event.name === name
    })
    assert.ok(asked - started.at > 2_000, `${asked - started.at} ms after the start`)
    await context.close()
  })

  it('shows the status page anew when the workspace stops elsewhere', async () => {
    const page = await arrived('carol', { script: true })
    await page.goto(`${berth.site.origin}/.berth/`)
    assert.match(await page.innerText('h1'), /is running/)
    const other = await page.context().newPage()
    await other.goto(`${berth.site.origin}/.berth/`)
    await other.click('form[action="/.berth/stop"] button')
    await page.waitForSelector('h1:has-text("is not running")')
    await page.context().close()
  })

  it('lists what can be stopped where a person has as many as one person may have, and goes on after that', async () => {
    const page = await arrived('dora', { script: true })
    await page.goto(`${berth.site.origin}/board/?link=1`)
    assert.match(await page.innerText('h1'), /as many workspaces as you may have/)
    await keepScreenshot(page, '22-limit')
    await page.click('form[action="/board/.berth/stop"] button:has-text("Stop")')
    await page.waitForURL('**/board/?link=1')
    await page.waitForSelector(`#who:has-text("board-dora")`)
    await page.context().close()
  })

  /** An open page of the application, whose workspace was stopped meanwhile. */
  async function leftOpen(login: string): Promise<Page> {
    const context = await browser.newContext()
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await signInWithBrowser(page, `${berth.site.origin}/board/`, login)
    await page.waitForSelector(`#who:has-text("board-${login}")`)
    await berth.engine.post(`/containers/board-${login}/stop`, { t: 1 })
    await eventually('Berth knows that it was stopped', 10_000, () =>
      page.evaluate<boolean>(
        `fetch('/board/.berth/status').then((answer) => answer.json()).then(({ phase }) => phase === 'stopped')`,
      ),
    )
    return page
  }

  for (const act of ['a click', 'typing'] as const)
    it(`starts a stopped workspace by ${act} in an open page of its application, and leads the person on`, async () => {
      const login = act === 'typing' ? 'hugo' : 'gina'
      const page = await leftOpen(login)
      if (act === 'typing') await page.keyboard.press('a')
      else await page.click('#who')
      const banner = page.locator('berth-banner')
      await banner.getByText('It is starting again').waitFor()
      await banner.getByText('runs again').waitFor()
      await keepScreenshot(page, `22-banner-${login}`)
      assert.equal((await inspected(berth.engine, `board-${login}`))?.State.Running, true)
      await banner.getByRole('button', { name: 'Load this page again' }).click()
      await banner.waitFor({ state: 'detached' })
      await page.waitForSelector(`#who:has-text("board-${login}")`)
      await page.context().close()
    })

  it('takes the banner away when a page goes on by itself, and not before what a person does there reaches the workspace', async () => {
    const page = await leftOpen('ines')
    const banner = page.locator('berth-banner')
    const askedAgain = async (): Promise<void> => {
      // Clicks within ten seconds after a question ask nothing.
      const answered = page.waitForResponse((answer) => answer.url().includes('/.berth/status'))
      await eventually('the click asks', 30_000, async () => {
        await page.click('#who')
        return within(500, 'a question', answered).then(() => true)
      })
    }
    await page.click('#who')
    await banner.getByText('runs again').waitFor()
    await askedAgain()
    assert.ok(await banner.getByText('runs again').isVisible(), 'nothing of the page was answered')
    assert.equal(await page.evaluate(`fetch('/board/whoami').then(({ status }) => status)`), 200)
    await eventually('the banner goes away', 60_000, async () => {
      await page.click('#who')
      return (await banner.count()) === 0
    })
    await page.context().close()
  })

  it('hears a person who clicks only inside frames: of the application, also later ones, and not of another site', async () => {
    const page = await leftOpen('jost')
    await page.evaluate(addFrames)
    const banner = page.locator('berth-banner')
    const asked: string[] = []
    page.on('request', (request) => {
      if (request.url().includes('/.berth/status')) asked.push(request.url())
    })
    await page.click('iframe[name=foreign]')
    await letPass(500)
    assert.deepEqual(asked, [])
    await page.frameLocator('iframe[name=own]').locator('body').click()
    await banner.getByText('runs again').waitFor()
    assert.equal((await inspected(berth.engine, 'board-jost'))?.State.Running, true)
    await page.context().close()
  })

  it('leads back to the pages of Berth where a service worker of the application serves its page from a cache', async () => {
    const page = await arrived('fred', { script: true })
    const name = berth.workspaceName('fred')
    assert.equal(await within(20_000, 'the worker serves the page', page.evaluate(register)), true)
    await berth.engine.post(`/containers/${name}/stop`, { t: 1 })
    // The worker answers for every address, also for those of Berth.
    await page.goto(`${berth.site.origin}/.berth/`)
    assert.ok(await page.isVisible('#who'), 'the page from the cache hides that it does not run')
    // Browsers ask for the worker about a second after they have shown a page that it served.
    await within(30_000, 'the browser has replaced the worker', page.evaluate(replaced))
    await page.reload()
    await page.waitForSelector('h1:has-text("is not running")')
    await page.click('form[action="/.berth/start"] button')
    await page.waitForSelector('#who')
    assert.equal((await inspected(berth.engine, name))?.State.Running, true)
    await page.context().close()
  })
})

/** A service worker as many applications have one: it serves their page from its cache for every address. */
const cachingWorker = `
  addEventListener('install', (event) => {
    skipWaiting()
    event.waitUntil(
      caches.open('v1').then((cache) =>
        fetch('/', { headers: { accept: 'text/html' } }).then((page) => cache.put('/', page)),
      ),
    )
  })
  addEventListener('activate', (event) => event.waitUntil(clients.claim()))
  addEventListener('fetch', (event) => {
    if (event.request.mode === 'navigate')
      event.respondWith(caches.match('/').then((kept) => kept ?? fetch(event.request)))
  })
`

const workerPath = rawPath('text/javascript', cachingWorker)
const register = `navigator.serviceWorker.register(${JSON.stringify(workerPath)}, { scope: '/' })
  .then(() => navigator.serviceWorker.ready)
  .then(() => navigator.serviceWorker.controller || new Promise((resolve) => {
    navigator.serviceWorker.addEventListener('controllerchange', resolve)
  }))
  .then(() => true)`

const replaced = `new Promise((resolve) => {
  navigator.serviceWorker.addEventListener('controllerchange', () => resolve(true))
})`

/** The browser takes the frame of a `data:` address for one of another site. */
const addFrames = `for (const [name, from] of [['foreign', 'src="data:text/html,<p>There"'], ['own', 'srcdoc="<p>Here"']])
  document.body.insertAdjacentHTML('beforeend', '<iframe name="' + name + '" ' + from + '></iframe>')`

const boardTemplate = `
templates:
  board:
    title: Board
    image: berth/hello
    port: 8080
    user: '1000:1000'
    banner: true
    route: { path: { prefix: /board, strip: true } }
`

/** The id of a person's container. */
async function idOf(berth: Deployment, login: string): Promise<string | undefined> {
  return (await inspected(berth.engine, berth.workspaceName(login)))?.Id
}
