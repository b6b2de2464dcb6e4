// Proof 26: the end of a session. A person signs out at the gateway and at the provider; a button whose session has expired
// leads to the sign-in and back; what a page asks in the background is answered, and not redirected to the provider.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { createCookieJar } from '../clients/cookie-jar.ts'
import { openBrowser, openPage, signInWithBrowser } from '../clients/browser.ts'
import { createPerson } from '../clients/people.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { chooseGateway } from '../deployment/gateway.ts'
import { helloTemplate } from '../deployment/templates.ts'

const apache = (await chooseGateway()) === 'apache'

/** Of either gateway. */
const sessionCookies = /^_oauth2_proxy/

describe('proof 26: the end of a session', () => {
  let berth: Deployment
  let browser: Browser & AsyncDisposable
  before(async () => {
    berth = await deploy({
      name: 'session',
      template: { ...helloTemplate, CONTAINER_START_BY: 'click' },
      // A start by a click is then answered by the application itself.
      settings: { LOADING_PAGE_AFTER: '30s' },
    })
    browser = await openBrowser()
  })
  after(async () => {
    await browser?.[Symbol.asyncDispose]()
    await berth?.[Symbol.asyncDispose]()
  })

  const at = (path: string): string => `${berth.site.origin}${path}`
  const form = 'input[name=password]'
  const startButton = 'form[action="/.berth/start"] button'

  /** As when the session has expired: the gateway knows the person no more, and perhaps the provider does. */
  async function expire(context: BrowserContext, where: 'gateway' | 'both'): Promise<void> {
    if (where === 'both') await context.clearCookies()
    else await context.clearCookies({ domain: 'localhost' })
  }

  async function signInAgain(page: Page, login: string): Promise<void> {
    await page.fill('input[name=login]', login)
    await page.fill(form, login)
    await page.click('button[type=submit]')
  }

  it('hazard: ends the session at the provider as well, so that the next visit asks for a password', async () => {
    const page = await openPage(browser)
    await signInWithBrowser(page, at('/lab?a=1'), 'alice')
    await page.waitForSelector(startButton)
    await page.click('footer a:has-text("Sign out")')
    await page.waitForSelector(form)
    await page.goto(at('/elsewhere'))
    await page.waitForSelector(form)
    await signInAgain(page, 'bob')
    await page.waitForSelector('footer:has-text("bob")')
    assert.equal(page.url(), at('/elsewhere'), 'another person signs in, at the same address')
    await page.context().close()
  })

  for (const where of ['gateway', 'both'] as const)
    for (const javaScriptEnabled of [true, false])
      it(`hazard: leads from the start button to the sign-in and back to the page, with the session over at ${where === 'both' ? 'gateway and provider' : 'the gateway'}, ${javaScriptEnabled ? 'with' : 'without'} script`, async () => {
        const context = await browser.newContext({ javaScriptEnabled })
        const page = await context.newPage()
        page.setDefaultTimeout(60_000)
        const login = javaScriptEnabled ? 'alice' : 'bob'
        await signInWithBrowser(page, at('/whoami?from=/api/a.b/queue/x'), login)
        await page.waitForSelector(startButton)
        await expire(context, where)
        await page.click(startButton)
        if (where === 'both') {
          await page.waitForSelector(form)
          // Without script the provider's form is the same.
          await signInAgain(page, login)
        }
        await page.waitForURL(at('/whoami?from=/api/a.b/queue/x'))
        await page.waitForSelector(startButton)
        await context.close()
      })

  it('hazard: follows the application when its first answer is a redirect to another origin', async () => {
    const page = await openPage(browser)
    const idp = berth.settings['OAUTH2_PROXY_OIDC_ISSUER_URL'] ?? ''
    const answer = `HTTP/1.1 302 Found\r\nLocation: ${idp}/healthz\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`
    const raw = `/raw?base64=${encodeURIComponent(Buffer.from(answer).toString('base64'))}`
    await signInWithBrowser(page, at(raw), 'carol')
    await page.click(startButton)
    await page.waitForURL(`${idp}/healthz`)
    assert.equal((await page.innerText('body')).trim(), 'ok')
    await page.context().close()
  })

  it('hazard: answers the background requests of an open page with 401 after a sign-out in another tab', async () => {
    const page = await openPage(browser)
    await signInWithBrowser(page, at('/whoami'), 'admin')
    await page.click(startButton)
    await page.waitForSelector('body:has-text("hostname")')
    const other = await page.context().newPage()
    await other.goto(at(apache ? '/oauth2/sign_out' : '/.berth/sign-out'))
    await other.waitForSelector(form)
    const paths = [
      '/api/contents',
      '/lab/api/contents',
      '/demo/gradio_api/info',
      '/gradio_api/queue/join',
      '/gradio_api/heartbeat/x',
      '/_stcore/health',
      '/ajax-api/2.0/mlflow/experiments/search',
      '/socket.io/?EIO=4',
      '/.berth/status',
      '/queue/join?x=1',
      '/graphql',
    ]
    const statuses = await page.evaluate(
      (asked) =>
        Promise.all(
          asked.map(async (path) => (await fetch(path).catch(() => ({ status: 'failed' }))).status),
        ),
      paths,
    )
    assert.deepEqual(
      Object.fromEntries(paths.map((path, at) => [path, statuses[at]])),
      Object.fromEntries(paths.map((path) => [path, 401])),
    )
    await page.context().close()
  })

  it('hazard: says that the cookies of an application have grown too large, removes them at a click, and leads back, also over the sign-in', async () => {
    const page = await openPage(browser)
    const context = page.context()
    await signInWithBrowser(page, at('/deep/page?a=1'), 'bob')
    await page.waitForSelector('footer:has-text("bob")')
    await context.addCookies(
      Array.from({ length: 40 }, (_, at) => ({
        name: `big${at}`,
        value: 'x'.repeat(3_000),
        domain: 'localhost',
        path: at % 2 === 0 ? '/' : '/deep',
      })),
    )
    const refused = await page.goto(at('/deep/page?a=1'))
    assert.equal(refused?.status(), 431)
    assert.match(await page.innerText('main'), /cookies/)
    await context.clearCookies({ name: sessionCookies })
    const leadBack = page.waitForEvent('load')
    await page.click('button')
    await leadBack
    assert.equal(page.url(), at('/deep/page?a=1'))
    assert.match(await page.innerText('main'), /cookies/, 'the sign-in leads back to this page')
    await page.click('button')
    await page.waitForSelector('footer:has-text("bob")')
    assert.equal(page.url(), at('/deep/page?a=1'))
    const names = (await context.cookies()).map(({ name }) => name)
    assert.deepEqual(
      names.filter((name) => name.startsWith('big')),
      [],
    )
    await context.close()
  })

  it('answers git without a session with 401, and not with the error of the provider', async () => {
    const nobody = createPerson(berth.site, 'nobody', createCookieJar())
    for (const [path, method] of [
      ['/repository.git/info/refs?service=git-upload-pack', 'GET'],
      ['/repository.git/git-upload-pack', 'POST'],
      ['/repository.git/git-receive-pack', 'POST'],
    ] as const) {
      const answer = await nobody.ask(path, { method, headers: { 'user-agent': 'git/2.39.5' } })
      assert.equal(answer.status, 401, path)
      answer.leave()
    }
  })
})
