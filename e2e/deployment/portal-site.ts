// A deployment with the portal and a browser, for the proofs of its pages.
import type { Browser, BrowserContext, ElementHandle, Page } from 'playwright-core'
import { openBrowser, openPage, signInWithBrowser } from '../clients/browser.ts'
import { inspected } from '../engine/belongings.ts'
import { deploy, type Deployment, type DeploymentOptions } from './deployment.ts'

export interface PortalSite extends AsyncDisposable {
  readonly berth: Deployment
  /** The origin of the portal. */
  readonly portal: string
  readonly browser: Browser
  /** A page of a person who has signed in. @param context with its own session; absent: a new one */
  open(login: string, path?: string, context?: BrowserContext): Promise<Page>
  /** A person starts something on the portal, and stays on the page. */
  start(login: string, card: string): Promise<Page>
  /** @returns the id of the container if it runs */
  containerOf(workspace: string): Promise<string | undefined>
  /** The lines of the spawner's log with this message. */
  logged(message: string): Promise<readonly Readonly<Record<string, unknown>>[]>
}

export async function deployPortal(
  options: Pick<DeploymentOptions, 'name' | 'templates' | 'settings'>,
): Promise<PortalSite> {
  await using stack = new AsyncDisposableStack()
  const berth = stack.use(
    await deploy({
      portal: true,
      template: { CONTAINER_IMAGE: '', CONTAINER_HOST_PREFIX: '', CONTAINER_PORT: '' },
      ...options,
    }),
  )
  const portal = berth.siteAt('portal.localhost').origin
  const browser = stack.use(await openBrowser())

  async function open(login: string, path = '/', context?: BrowserContext): Promise<Page> {
    const page = context === undefined ? await openPage(browser) : await context.newPage()
    page.setDefaultTimeout(60_000)
    await signInWithBrowser(page, portal + path, login)
    await page.waitForURL(portal + path)
    return page
  }

  const built = stack.move()
  return {
    berth,
    portal,
    browser,
    open,
    async start(login, card) {
      const page = await open(login)
      await page.waitForSelector('body[data-live]')
      await page.click(`[data-card=${card}] button:has-text("Start")`)
      return page
    },
    async containerOf(workspace) {
      try {
        const { Id, State } = await inspected(berth.engine, workspace)
        return State.Status === 'running' ? Id : undefined
      } catch {
        return undefined
      }
    },
    async logged(message) {
      return (await berth.logs('spawner'))
        .split('\n')
        .filter((line) => line.includes(`"message":"${message}"`))
        .map((line) => JSON.parse(line.slice(line.indexOf('{'))) as Record<string, unknown>)
    },
    [Symbol.asyncDispose]: () => built.disposeAsync(),
  }
}

/** Resolves when the card of a person's page says so. */
export const cardStates = (page: Page, card: string, label: string): Promise<ElementHandle> =>
  page.waitForSelector(`[data-card=${card}] .badge:text-is("${label}")`)

/** For the browser: when the element gets one of these texts, on the clock of the machine. */
export const momentOf = (
  selector: string,
  ...texts: string[]
): string => `new Promise((resolve) => {
  const look = () => {
    const found = document.querySelector(${JSON.stringify(selector)})
    if (${JSON.stringify(texts)}.includes(found?.textContent)) resolve(Date.now())
  }
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true })
})`
