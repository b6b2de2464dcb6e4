// Proof 22: pages that load themselves again with nobody there start nothing that was stopped, and a person who does
// something starts it.
//
// A tab is watched by what it loads. Whatever a test looks up or evaluates in a tab counts in Chromium as an act of a person
// there, and for five seconds the tab's own loads tell of one. Of a request only what comes with its event is read: its full
// headers may never come, when the page has left meanwhile.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page, Response } from 'playwright-core'
import { openBrowser, openProfile, signInWithBrowser } from '../clients/browser.ts'
import { rawPath } from '../clients/raw-answer.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { watchEngine } from '../engine/history.ts'
import { within } from '../run/deadline.ts'

const pages = {
  meta: '<meta http-equiv=refresh content=1>',
  timer: '<script>setTimeout(() => location.reload(), 1000)</script>',
  // While the workspace runs, this page sends background requests alone. They are refused from shortly before the workspace
  // stops: it still runs when this page loads itself again.
  error: `<script>
    const again = () => location.reload()
    setInterval(() => fetch('whoami').then((answer) => answer.ok || again(), again), 1000)
  </script>`,
  // By another tab, at a moment that a test chooses.
  told: "<script>new BroadcastChannel('again').onmessage = () => location.reload()</script>",
} as const

const quiet = `
templates:
  quiet:
    image: berth/hello
    port: 8080
    user: '1000:1000'
    background: [GET /whoami]
    idle: { stop: 6s }
    route: { path: { prefix: /quiet, strip: true } }
`

/** Until the answer has come: a page that loads itself again and again is never quiet. */
const commit = { waitUntil: 'commit' } as const
const waitMs = 60_000

describe('proof 22: pages that load themselves again', () => {
  let berth: Deployment
  let browser: Browser & AsyncDisposable
  before(async () => {
    berth = await deploy({
      name: 'reload',
      settings: { CONTAINER_STOP_TIMEOUT: '1s', IDP_PEOPLE: 'dora,emil' },
      templates: quiet,
    })
    browser = await openBrowser()
  })
  after(async () => {
    try {
      if (browser) await within(waitMs, 'the browser ends', browser[Symbol.asyncDispose]())
    } finally {
      await berth?.[Symbol.asyncDispose]()
    }
  })

  const at = (path: string): string => berth.site.origin + path

  /** A signed-in person's tab, which has opened nothing of the workspace yet. */
  async function signedIn(login: string): Promise<Page> {
    const context = await openProfile(browser, { script: true })
    context.setDefaultTimeout(waitMs)
    const page = await context.newPage()
    await signInWithBrowser(page, at('/.berth/'), login)
    await page.waitForURL('**/.berth/')
    // Nothing here loads anything by itself.
    await page.goto(at('/.berth/status'))
    return page
  }

  /** Opens an address of the workspace, and waits until the application has answered. */
  async function arriveAt(page: Page, address: string): Promise<void> {
    const arrived = page.waitForResponse((response) => isPage(response, address))
    await page.goto(address, commit)
    await arrived
  }

  for (const { login, kind, base, stop, act } of [
    { login: 'alice', kind: 'meta', base: '', stop: 'by a person', act: 'presses the button' },
    { login: 'bob', kind: 'told', base: '', stop: 'by a person', act: 'loads it again' },
    { login: 'carol', kind: 'error', base: '', stop: 'by a person', act: 'opens its address' },
    { login: 'dora', kind: 'error', base: '/quiet', stop: 'as idle', act: 'presses Enter' },
    { login: 'emil', kind: 'timer', base: '', stop: 'by a person', act: 'follows a link to it' },
  ] as const)
    it(`starts nothing that was stopped ${stop} for a page that loads itself again (${kind}), until a person ${act}`, async () => {
      const page = await signedIn(login)
      const context = page.context()
      const name = base === '' ? berth.workspaceName(login) : `quiet-${login}`
      const address = at(base + rawPath('text/html', pages[kind]))
      const linking = act === 'follows a link to it' ? await context.newPage() : page
      const link = at(rawPath('text/html', `<a href="${address}">go</a>`))
      if (linking !== page) await arriveAt(linking, link)

      await using history = await watchEngine(berth.engine)
      const starts = () =>
        history.events.filter((event) => event.action === 'start' && event.name === name)
      await arriveAt(page, address)
      const asked = kind === 'error' ? at(`${base}/whoami`) : address
      if (kind !== 'told')
        await page.waitForResponse((response) => response.url() === asked && response.ok())
      const before = starts().length

      const stopped = tellsThatItIsStopped(page)
      if (stop === 'by a person') {
        const managing = await context.newPage()
        await managing.goto(at('/.berth/'))
        await managing.click('form[action="/.berth/stop"] button')
        // A page that loads itself again during the stop leads to `/.berth/`, where a person's reload starts nothing.
        if (kind === 'told') {
          await managing.waitForSelector('text=Your workspace is not running')
          await managing.evaluate(() => new BroadcastChannel('again').postMessage(''))
        }
      }
      await within(
        waitMs,
        'the page has loaded itself again, and tells that it is stopped',
        stopped,
      )
      assert.equal(starts().length, before, 'nothing has started it')

      if (act === 'loads it again') await page.reload(commit)
      else if (act === 'opens its address') await page.goto(address, commit)
      else if (linking !== page) await linking.click('text=go', { noWaitAfter: true })
      else {
        const button = page.locator(`form[action^="${base}/.berth/start"] button`)
        if (act === 'presses Enter') await button.press('Enter', { noWaitAfter: true })
        else await button.click({ noWaitAfter: true })
      }
      await history.first('a person starts it', waitMs, () => starts().length > before)
      await within(waitMs, 'the tabs close', context.close())
    })
})

/** And has loaded: until then the tab belongs to the page before. */
async function tellsThatItIsStopped(page: Page): Promise<void> {
  await page.waitForResponse(
    (response) => response.headers()['berth-phase'] === 'stopped' && isNavigation(response),
  )
  await page.waitForEvent('load')
}

const isNavigation = (response: Response): boolean => response.request().isNavigationRequest()
const isPage = (response: Response, address: string): boolean =>
  response.url() === address && response.ok() && isNavigation(response)
