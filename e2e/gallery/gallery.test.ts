// The proof of the gallery: each application, in a browser, through the whole chain. `npm run gallery` runs it.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { keepScreenshot, openBrowser, openPage, signInWithBrowser } from '../clients/browser.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { chooseGateway } from '../deployment/gateway.ts'
import { watchEngine, type EngineEvent, type EngineHistory } from '../engine/history.ts'
import { run } from '../run/command.ts'
import { eventually, letPass } from '../run/deadline.ts'
import { surroundings } from '../run/surroundings.ts'
import type { Application, LocalFile, Tab } from './application.ts'
import { applications } from './applications.ts'
import { writeResult, type Claim } from './results.ts'
import { templatesForTest, type Way } from './templates-for-test.ts'

const freezeMs = 10_000
const usualStopMs = 45_000
/** The lease, the spawner's margin, the grace time of a stop and the time of the engine. */
const slackMs = 45_000
/** How long a start may take on a busy machine. */
const startMs = 300_000
/** How long a person whose workspace was stopped goes on trying: a start, and the reconnection of the page. */
const comeBackMs = 120_000
/** How long after a stop an open page must not start the workspace by itself. */
const quietMs = 20_000
const fileBytes = 20 * 1024 * 1024

const wanted = (process.env['GALLERY'] ?? '').split(',').filter(Boolean)

for (const application of applications) {
  if (wanted.length === 0 || wanted.includes(application.folder))
    // Both ways at once: most of the time passes while nobody does anything.
    describe(`gallery: ${application.title}`, { concurrency: 2 }, () =>
      proveApplication(application),
    )
}

function proveApplication(application: Application): void {
  const restsAfterMs = application.restsAfterMs ?? 0
  const stopMs = usualStopMs + restsAfterMs
  const idle = { freeze: `${freezeMs}ms`, stop: `${stopMs}ms`, remove: '0' }
  const templates = templatesForTest(application.folder, idle)
  let berth: Deployment
  let browser: Browser & AsyncDisposable
  let history: EngineHistory
  let folder: string
  let file: LocalFile
  let content: Buffer
  let version = ''
  let beside = ''
  const seen = new Map<Way['kind'], Map<Claim, boolean>>()

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-gallery-'))
    content = randomBytes(fileBytes)
    file = { name: 'load.bin', path: join(folder, 'load.bin'), bytes: fileBytes }
    await writeFile(file.path, content)
    version = await versionOf(application)
    berth = await deploy({ name: 'gallery', templates: templates.text })
    history = await watchEngine(berth.engine)
    browser = await openBrowser()
    beside = await besideOf(berth, browser)
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
    await history?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
    await rm(folder, { recursive: true, force: true })
    const host = seen.get('host')
    if (host !== undefined && host.size > 0) {
      const day = new Date().toISOString().slice(0, 10)
      await writeResult(application, { host, path: seen.get('path'), version, day, beside })
    }
  })

  for (const way of templates.ways)
    describe(`by ${way.kind}`, { concurrency: 1 }, () => {
      const { click, type, work, files, afterStop } = application
      // Each way has a person of its own, so that both have an empty home.
      const login = way.kind === 'host' ? 'alice' : 'bob'
      const results = new Map<Claim, boolean>()
      seen.set(way.kind, results)
      let page: Page
      let tab: Tab
      let words: string | undefined
      let counter = 0

      const nextWords = (): string => `ahoy${way.kind}${++counter}`
      const save = async (): Promise<void> => {
        if (work === undefined) return
        const next = nextWords()
        await work.save(tab, next)
        words = next
      }
      /** Past the loading page, to the application. */
      const arrive = async (): Promise<void> => {
        await page.waitForSelector('body:not([data-phase])', {
          state: 'attached',
          timeout: startMs,
        })
        await application.opened(tab)
      }
      const open = async (): Promise<void> => {
        // Another address of which only the fragment differs would not load the page again.
        await page.goto('about:blank')
        await page.goto(tab.root + application.link(tab.root))
        await arrive()
      }
      const reload = async (): Promise<void> => {
        await page.reload()
        await arrive()
      }

      /** A claim that does not hold does not keep the next ones from being tried. */
      function claim(name: Claim, what: string, prove: () => Promise<void>): void {
        it(what, async () => {
          results.set(name, false)
          try {
            await prove()
            results.set(name, true)
          } catch (error) {
            await keepScreenshot(page, `gallery-${application.folder}-${way.kind}-${name}`)
            throw error
          }
        })
      }

      const isOf =
        (action: string) =>
        ({ type, name, ...event }: EngineEvent): boolean =>
          type === 'container' && event.action === action && name === `${way.prefix}-${login}`
      const since = (at: number, action: string): readonly EngineEvent[] =>
        history.events.filter((event) => event.at >= at && isOf(action)(event))
      const lastOf = (...actions: string[]): string | undefined =>
        history.events.findLast((event) => actions.some((action) => isOf(action)(event)))?.action

      /** The first such event since then. The error says what was use. */
      async function firstSince(
        began: number,
        action: string,
        what: string,
        withinMs: number,
      ): Promise<EngineEvent> {
        try {
          return await history.first(
            what,
            withinMs,
            (event) => event.at >= began && isOf(action)(event),
          )
        } catch (error) {
          const name = `${way.prefix}-${login}`
          const report = await berth.compose('exec', '-T', 'spawner', 'idle-report', name)
          throw new Error(`${String(error)}\n${report}`, { cause: error })
        }
      }

      const isFrozen = (): boolean => lastOf('pause', 'unpause', 'start') === 'pause'

      async function untilFrozen(): Promise<void> {
        const began = Date.now()
        await letPass(restsAfterMs)
        const what = 'the untouched tab lets it freeze'
        await firstSince(began, 'pause', what, freezeMs + slackMs)
        // Once the page rests it may have woken the workspace a last time.
        if (!isFrozen()) await firstSince(Date.now(), 'pause', what, freezeMs + slackMs)
      }

      /** Rejects if an untouched tab wakes it before it is stopped, or starts it afterwards. */
      async function untilStopped(): Promise<void> {
        if (lastOf('start', 'die') === 'die') return
        const began = Date.now()
        await letPass(restsAfterMs)
        const rested = Date.now()
        const stillToFreeze = isFrozen() ? 0 : 1
        const what = 'the untouched tab lets it stop'
        const end = await firstSince(began, 'die', what, stopMs + 2 * slackMs)
        assert.equal(since(rested, 'pause').length, stillToFreeze, 'the untouched tab wakes it')
        await letPass(quietMs)
        assert.deepEqual(since(end.at, 'start'), [], 'the untouched tab starts what was stopped')
      }

      /** A person repeats what had no effect. */
      const repeated = async (what: string, act: () => Promise<void>): Promise<void> => {
        await eventually(what, comeBackMs, () => act().then(() => true))
      }

      before(async () => {
        page = await openPage(browser)
        tab = { page, root: `${berth.siteAt(way.host).origin}${way.path}` }
      })
      after(() => page.context().close())

      claim('opens', 'opens at a deep link', async () => {
        await signInWithBrowser(page, tab.root + application.link(tab.root), login)
        await arrive()
      })
      claim('works', 'answers a click and typing', async () => {
        await click?.(tab, nextWords())
        await type?.(tab, nextWords())
      })
      if (files !== undefined)
        claim('files', 'carries 20 MiB up and down', async () => {
          await files.upload(tab, file)
          const back = await files.download(tab, file.name)
          assert.ok(content.equals(back), `${back.length} bytes came back, or others`)
          await open()
        })
      if (work !== undefined) claim('saves', 'saves', save)

      claim('freezes', 'freezes under an untouched tab', untilFrozen)
      if (click !== undefined)
        claim('click after a freeze', 'goes on by a click after a freeze', async () => {
          await click(tab, nextWords())
          await save()
          await untilFrozen()
        })
      if (type !== undefined)
        claim('typing after a freeze', 'goes on by typing after a freeze', async () => {
          await type(tab, nextWords())
          await save()
          await untilFrozen()
        })
      claim('reload after a freeze', 'goes on by a reload after a freeze', async () => {
        await reload()
        if (words !== undefined) await work?.shows(tab, words)
        await click?.(tab, nextWords())
        await save()
      })

      claim('stops', 'stops under an untouched tab', untilStopped)
      if (afterStop.click !== undefined)
        claim('click after a stop', 'goes on by a click after a stop', async () => {
          await repeated('a click brings it back', () => afterStop.click!(tab, nextWords()))
          await save()
        })
      if (afterStop.type !== undefined)
        claim('typing after a stop', 'goes on by typing after a stop', async () => {
          await untilStopped()
          await repeated('typing brings it back', () => afterStop.type!(tab, nextWords()))
          await save()
        })
      claim('reload after a stop', 'goes on by a reload after a stop', async () => {
        await untilStopped()
        await reload()
        if (words !== undefined) await work?.shows(tab, words)
        await click?.(tab, nextWords())
        await type?.(tab, nextWords())
        // What was typed may be where the saved words were.
        await save()
      })
      if (work !== undefined)
        claim('keeps', 'keeps what was saved', async () => {
          assert.ok(words !== undefined, 'nothing was saved')
          await open()
          await work.shows(tab, words)
        })
    })
}

async function besideOf({ engine }: Deployment, browser: Browser): Promise<string> {
  const gateway =
    (await chooseGateway()) === 'apache' ? 'Apache' : surroundings.gatewayImage.split('/').at(-1)
  const { Version } = await engine.get<{ Version: string }>('/version')
  return `${gateway}, Docker ${Version} and Chromium ${browser.version()}`
}

async function versionOf({ folder, version }: Application): Promise<string> {
  const args = ['run', '--rm', '--network', 'none', `berth/gallery-${folder}`, 'sh', '-c', version]
  const text = await run('docker', args, { withinMs: 120_000 })
  return /\d+(\.\d+)+/.exec(text)?.[0] ?? text.trim()
}
