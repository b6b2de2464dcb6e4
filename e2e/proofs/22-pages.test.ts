// Proof 22: the pages that people see do their work whatever is between them and Berth, and people manage their own
// workspaces there.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, BrowserContext } from 'playwright-core'
import { openBrowser, openPage, signInWithBrowser } from '../clients/browser.ts'
import { holdStreams } from '../clients/holding-relay.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { within } from '../run/deadline.ts'

describe('proof 22: the pages', () => {
  let berth: Deployment
  let browser: Browser & AsyncDisposable
  before(async () => {
    berth = await deploy({
      name: 'pages',
      settings: {
        IDP_PEOPLE: 'dora,emil,fred,gina',
        CONTAINER_ENV_HELLO_START_DELAY: '6000',
      },
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
    const tabs = await openTabs(context, berth, 7)
    for (const tab of tabs)
      assert.equal(await tab.getAttribute('body', 'data-kind'), 'loading', tab.url())
    const status = await within(
      2_000,
      'a request of the seventh tab is answered',
      tabs[6]?.evaluate(async () => (await fetch('/.berth/status')).status) ??
        Promise.reject(new Error('no tab')),
    )
    assert.equal(status, 200)
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
})

/** Runs in the browser before the scripts of the page: no tab of a browser without windows is hidden by itself. */
const hidden = `
  Object.defineProperty(document, 'hidden', { get: () => true })
  Object.defineProperty(document, 'visibilityState', { get: () => 'hidden' })
`

/** Several tabs of one person, opened beside each other. */
async function openTabs(context: BrowserContext, berth: Deployment, count: number) {
  return Promise.all(
    Array.from({ length: count }, async (_, n) => {
      const tab = await context.newPage()
      tab.setDefaultTimeout(60_000)
      await tab.goto(`${berth.site.origin}/?tab=${n}`)
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
