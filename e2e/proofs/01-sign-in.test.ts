// Proof 1: a person signs in, sees the progress of the start, and arrives at the requested address in a container of their own.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page, WebSocket } from 'playwright-core'
import { keepScreenshot, openBrowser, openPage, signInWithBrowser } from '../clients/browser.ts'
import { followPhases } from '../clients/phases.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { labTemplate } from '../deployment/templates.ts'
import { inspected } from '../engine/belongings.ts'
import { watchEngine } from '../engine/history.ts'
import { eventually, within } from '../run/deadline.ts'

const deepLink = '/lab/workspaces/proof?from=here'

describe('proof 1: from the sign-in to a terminal', () => {
  let berth: Deployment
  let browser: Browser & AsyncDisposable
  let alice: Page
  let bob: Page
  before(async () => {
    berth = await deploy({ name: 'lab', template: labTemplate })
    browser = await openBrowser()
    alice = await openPage(browser)
    bob = await openPage(browser)
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
  })

  it('shows alice the phases of the start and leads to the deep link that she requested', async (t) => {
    const phases = await followPhases(alice)
    const landed = documentAt(alice, deepLink)
    const shown = loadingPageOn(alice)
    await alice.goto(`${berth.site.origin}${deepLink}`)
    await keepScreenshot(alice, '01-sign-in')
    await alice.fill('input[name=login]', 'alice')
    await alice.fill('input[name=password]', 'alice')
    const clicked = performance.now()
    await alice.click('button[type=submit]')
    await shown
    await keepScreenshot(alice, '01-loading')
    await within(60_000, 'JupyterLab answers at the deep link', landed)
    await alice.waitForSelector('#jp-main-dock-panel')
    t.diagnostic(`from the click to JupyterLab: ${Math.round(performance.now() - clicked)} ms`)

    const seen = phases.seen.map(({ phase }) => phase)
    const order = ['queued', 'pulling', 'creating', 'starting', 'probing', 'ready']
    const turns = seen.map((phase) => order.indexOf(phase))
    assert.ok(new Set(seen).size >= 2, `the page moved through ${seen.join(', ')}`)
    assert.deepEqual(
      turns,
      turns.toSorted((one, other) => one - other),
      seen.join(', '),
    )
    assert.ok(new Set(phases.seen.map(({ title }) => title)).size >= 2, 'the title tells the phase')
    await alice.waitForSelector('.jp-Launcher')
    await keepScreenshot(alice, '01-jupyterlab')
  })

  it('lets alice run a command in a terminal of her container', async () => {
    const opened = alice.waitForEvent('websocket', (socket) => socket.url().includes('/terminals/'))
    await alice.click('.jp-LauncherCard[data-category=Other]:has-text("Terminal")')
    const said = collectText(await opened)
    await alice.waitForSelector('.jp-Terminal .xterm-helper-textarea', { state: 'attached' })
    await eventually('the shell shows its prompt', 30_000, async () => said().length > 0)
    await alice.click('.jp-Terminal')
    await alice.keyboard.type('echo "[$(hostname)]"; echo mine > ~/hers.txt\n')
    const wanted = `[${berth.workspaceName('alice')}]`
    await eventually(`the terminal says ${wanted}`, 30_000, async () => said().includes(wanted))
    await keepScreenshot(alice, '01-terminal')
  })

  it('gives bob another container at the same time, without the files of alice', async () => {
    await signInWithBrowser(bob, `${berth.site.origin}/lab`, 'bob')
    await bob.waitForSelector('#jp-main-dock-panel')
    const files = await bob.evaluate(async () => {
      const answer = await fetch('/api/contents/')
      return ((await answer.json()) as { content: { name: string }[] }).content.map(
        ({ name }) => name,
      )
    })
    assert.ok(!files.includes('hers.txt'), files.join())
    const [hers, his] = await Promise.all(
      ['alice', 'bob'].map((user) => inspected(berth.engine, berth.workspaceName(user))),
    )
    assert.ok(hers && his)
    assert.deepEqual(
      Object.keys(hers.NetworkSettings.Networks).filter(
        (name) => name in his.NetworkSettings.Networks,
      ),
      [],
      'they share no network',
    )
    assert.notEqual(hers.Mounts[0]?.Name, his.Mounts[0]?.Name)
    assert.equal(hers.Config.Hostname, berth.workspaceName('alice'))
  })

  it('brings a person back to path, query and fragment after the container had stopped', async () => {
    await using history = await watchEngine(berth.engine)
    const name = berth.workspaceName('bob')
    await bob.goto('about:blank')
    await berth.engine.post(`/containers/${name}/stop`, { t: 1 })
    const landed = documentAt(bob, '/lab/workspaces/again?again=1')
    const phases = await followPhases(bob)
    await bob.goto(`${berth.site.origin}/lab/workspaces/again?again=1#there`)
    await history.first('it is started again', 30_000, (event) => {
      return event.action === 'start' && event.name === name
    })
    const url = await within(60_000, 'the workspace answers at the same address', landed)
    assert.equal(new URL(url).search, '?again=1')
    const addresses = phases.seen.map(({ fragment }) => fragment)
    assert.ok(addresses.length > 0 && addresses.every((fragment) => fragment === '#there'))
    const fragment = await eventually('a page of JupyterLab', 30_000, async () =>
      phases.fragments.at(-1),
    )
    assert.equal(fragment, '#there', 'the fragment is still there when the workspace answers')
  })

  it('shows the loading page without JavaScript, and the page refreshes itself', async () => {
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const shown = loadingPageOn(page)
    await signInWithBrowser(page, `${berth.site.origin}/lab`, 'carol')
    await shown
    await keepScreenshot(page, '01-loading-without-javascript')
    await eventually('it refreshes until JupyterLab answers', 60_000, async () =>
      (await page.content()).includes('jupyter-config-data'),
    )
    await context.close()
  })
})

/** Resolves when a loading page has been received, even if the workspace replaces it at once. */
async function loadingPageOn(page: Page): Promise<void> {
  await page.waitForResponse(
    (response) => response.status() === 503 && 'berth-phase' in response.headers(),
  )
}

/** Resolves when the workspace itself has answered a navigation to this target. */
async function documentAt(page: Page, target: string): Promise<string> {
  const answer = await page.waitForResponse((response) => {
    const url = new URL(response.url())
    return (
      response.request().isNavigationRequest() &&
      response.status() === 200 &&
      url.pathname + url.search === target
    )
  })
  return answer.url()
}

/** The output of a terminal so far. */
function collectText(socket: WebSocket): () => string {
  let text = ''
  socket.on('framereceived', ({ payload }) => {
    const message = JSON.parse(String(payload)) as [string, ...unknown[]]
    if (message[0] === 'stdout') text += String(message[1])
  })
  return () => text
}
