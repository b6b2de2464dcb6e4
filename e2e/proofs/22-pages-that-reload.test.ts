// Proof 22: pages that load themselves again with nobody there start nothing that was stopped, and a person who does
// something starts it.
//
// A tab is watched by what it loads. Whatever a test looks up or evaluates in a tab counts in Chromium as an act of a person
// there, and for five seconds the tab's own loads tell of one.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { openBrowser, openProfile, signInWithBrowser } from '../clients/browser.ts'
import { holdAnswers } from '../clients/holding-relay.ts'
import { rawPath } from '../clients/raw-answer.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { watchEngine, type EngineEvent, type EngineHistory } from '../engine/history.ts'
import { within } from '../run/deadline.ts'

const kinds = {
  meta: {
    name: 'a page with <meta http-equiv=refresh>',
    body: '<meta http-equiv=refresh content=1>',
  },
  script: {
    name: 'a page that calls location.reload()',
    body: '<script>setTimeout(() => location.reload(), 1000)</script>',
  },
} as const

describe('proof 22: pages that load themselves again', () => {
  let berth: Deployment
  let browser: Browser & AsyncDisposable
  before(async () => {
    berth = await deploy({
      name: 'reload',
      settings: {
        CONTAINER_STOP_TIMEOUT: '1s',
        IDP_PEOPLE: 'dora,emil,fred,gina,hugo,ida,jan',
      },
      templates: slowTemplate,
    })
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
  })

  /** A signed-in person's tab, which has opened nothing of the workspace yet. */
  async function signedIn(login: string, options = { script: true }): Promise<Page> {
    const context = await openProfile(browser, options)
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await signInWithBrowser(page, `${berth.site.origin}/.berth/`, login)
    await page.waitForURL('**/.berth/')
    // Nothing here loads anything by itself.
    await page.goto(`${berth.site.origin}/.berth/status`)
    return page
  }

  /** Opens an address of the workspace, and waits until the application has answered. */
  async function arriveAt(page: Page, address: string): Promise<void> {
    const arrived = page.waitForResponse((response) => response.url() === address && response.ok())
    await page.goto(address, commit)
    await arrived
  }

  for (const [login, kind, act] of [
    ['alice', 'meta', 'reloads it'],
    ['bob', 'script', 'opens its address'],
    ['carol', 'script', 'presses the start button'],
    ['dora', 'meta', 'presses the start button'],
    ['emil', 'script', 'follows a link to it'],
  ] as const)
    it(`starts nothing for ${kinds[kind].name}, until a person ${act}`, async () => {
      const page = await signedIn(login)
      const address = berth.site.origin + rawPath('text/html', kinds[kind].body)
      const linking = await page.context().newPage()
      await arriveAt(
        linking,
        berth.site.origin + rawPath('text/html', `<a href="${address}">go</a>`),
      )
      await page.goto(address, commit)
      const byItself = await page.waitForResponse((response) => response.url() === address)
      assert.equal(await byItself.request().headerValue('sec-fetch-user'), null)

      await using history = await watchEngine(berth.engine)
      const starts = startsOf(history, berth.workspaceName(login))
      const stopped = nextPage(page, 'stopped')
      const managing = await page.context().newPage()
      await managing.goto(`${berth.site.origin}/.berth/`)
      await managing.click('form[action="/.berth/stop"] button')
      await within(60_000, 'the page that loads itself again tells that it is stopped', stopped)
      assert.deepEqual(starts(), [], 'nothing has started it')

      if (act === 'reloads it') await page.reload(commit)
      else if (act === 'opens its address') await page.goto(address, commit)
      else if (act === 'follows a link to it') await linking.click('text=go', { noWaitAfter: true })
      else await page.click('form[action="/.berth/start"] button', { noWaitAfter: true })
      await history.first('it is started again', 60_000, (event) => starts().includes(event))
      await page.context().close()
    })

  for (const [script, login] of [
    [true, 'fred'],
    [false, 'gina'],
  ] as const)
    it(`leaves stopped what was stopped in another tab while the loading page was shown, ${script ? 'with' : 'without'} JavaScript`, async () => {
      await using history = await watchEngine(berth.engine)
      const starts = startsOf(history, `slow-${login}`)
      const page = await signedIn(login, { script })
      const stopped = nextPage(page, 'stopped')
      const again = page.waitForEvent('request', (request) => request.url().includes('/.berth/'))
      await page.goto(`${berth.site.origin}/slow/`, commit)
      await history.first('it starts', 60_000, (event) => starts().includes(event))
      if (script) await within(20_000, 'the page follows the start', again)

      const other = await page.context().newPage()
      await other.goto(`${berth.site.origin}/slow/.berth/status`)
      const status = await other.evaluate(
        `fetch('/slow/.berth/stop', { method: 'POST' }).then((answer) => answer.status)`,
      )
      assert.equal(status, 202)
      await within(60_000, 'the loading page tells that it is stopped', stopped)
      assert.equal(starts().length, 1, 'no page has started it again')
      assert.match(await page.innerText('h1'), /is not running/)
      await page.context().close()
    })

  it('goes where a person leads to, although the page would load itself again meanwhile', async () => {
    await using relay = await holdAnswers(berth.site, (path) => path === '/.berth/')
    const page = await signedIn('hugo')
    await page.goto(`${relay.origin}/.berth/?to=${encodeURIComponent('/echo/wanted')}`)
    await page.click('text="Your workspaces"', { noWaitAfter: true })
    await within(20_000, 'the link is followed', relay.held(1))
    // A page loads itself again once it has asked whether the server answers.
    const asked = page.waitForResponse(`${relay.origin}/.berth/status`)
    const starting = await page.context().newPage()
    await starting.goto(`${berth.site.origin}/`, commit)
    await asked
    relay.letGo()
    await page.waitForURL(`${relay.origin}/.berth/`)
    assert.equal(new URL(page.url()).search, '')
    await page.context().close()
  })
})

/** Its loading page is shown for as long as a test may need. */
const slowTemplate = `
templates:
  slow:
    image: berth/hello
    port: 8080
    user: '1000:1000'
    environment: { HELLO_READY_DELAY: 50000 }
    route: { path: { prefix: /slow, strip: true } }
`

/** Until the answer has come: a page that loads itself again and again is never quiet. */
const commit = { waitUntil: 'commit' } as const

/** Resolves when the next page of Berth in this tab that tells of that phase has loaded. */
async function nextPage(page: Page, phase: string): Promise<void> {
  const timeout = 180_000
  await page.waitForEvent('response', {
    predicate: (response) =>
      response.request().isNavigationRequest() && response.headers()['berth-phase'] === phase,
    timeout,
  })
  await page.waitForEvent('load', { timeout })
}

/** The starts of a container so far. */
function startsOf(history: EngineHistory, name: string): () => readonly EngineEvent[] {
  return () => history.events.filter((event) => event.action === 'start' && event.name === name)
}
