// A real browser: one for each test, with a separate context for each person.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core'
import { surroundings } from '../run/surroundings.ts'
import { createBrowserNetwork, type Ports } from './browser-network.ts'

export interface TestBrowser extends AsyncDisposable {
  /** The machine of the browser gets another address, as with each container that is started on it. */
  changeNetwork(): Promise<void>
}

export async function openBrowser(ports: Ports = new Map()): Promise<Browser & TestBrowser> {
  const network = await createBrowserNetwork(surroundings.chromium, ports)
  try {
    const browser = await chromium.launch({
      executablePath: network.executablePath,
      args: ['--no-sandbox', '--disable-dev-shm-usage', ...network.args],
    })
    return Object.assign(browser, {
      changeNetwork: () => network.change(),
      [Symbol.asyncDispose]: async () => {
        await browser.close()
        await network[Symbol.asyncDispose]()
      },
    })
  } catch (error) {
    await network[Symbol.asyncDispose]()
    throw error
  }
}

/** A profile of a person. By this name Berth knows browsers that tell what a person began; a browser without windows has
 * another. */
export function openProfile(
  browser: Browser,
  {
    script,
    anyCertificate = false,
  }: { readonly script: boolean; readonly anyCertificate?: boolean },
): Promise<BrowserContext> {
  const userAgent = `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${browser.version()} Safari/537.36`
  return browser.newContext({
    javaScriptEnabled: script,
    userAgent,
    ignoreHTTPSErrors: anyCertificate,
  })
}

/** A separate browser profile, with its own cookies. */
export async function openPage(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  page.setDefaultTimeout(60_000)
  return page
}

/** Opens the address, and signs in at the provider's form, as a person does. */
export async function signInWithBrowser(page: Page, address: string, login: string): Promise<void> {
  await page.goto(address)
  await page.fill('input[name=login]', login)
  await page.fill('input[name=password]', login)
  await page.click('button[type=submit]')
}

/** Keeps a screenshot when ARTIFACTS=1. */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  if (surroundings.artifacts === undefined) return
  await mkdir(surroundings.artifacts, { recursive: true })
  await page.screenshot({ path: join(surroundings.artifacts, `${name}.png`), fullPage: true })
}
