// Proof 42: guests, through the edge of the profile `edge` with a host name of their own beside that of people who sign in, and
// directly at the port of the director, where this machine stands in for the edge.
import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { BrowserContext, Page } from 'playwright-core'
import { asTheGateway } from '../clients/as-the-gateway.ts'
import { openBrowser, openProfile, signInWithBrowser } from '../clients/browser.ts'
import { curl } from '../clients/curl.ts'
import { expectFitOnEveryScreen } from '../clients/every-screen.ts'
import { send, type Answer } from '../clients/http.ts'
import { navigation } from '../clients/people.ts'
import type { Place } from '../clients/place.ts'
import { openWebSocket, UpgradeRefused } from '../clients/web-socket.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { serviceImage } from '../deployment/gateway.ts'
import { inspected, volumesOf, workspacesOf } from '../engine/belongings.ts'
import { run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { freePorts } from '../run/free-ports.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { surroundings } from '../run/surroundings.ts'

interface Echo {
  readonly headers: readonly (readonly [string, string])[]
}

const [site, tryHost, notesHost, staffHost] = [
  'localhost',
  'try.localhost',
  'notes.localhost',
  'staff.localhost',
] as const
const guestPort = 8083
const cookieName = '__Host-berth_guest'

describe('proof 42: guests', () => {
  const own = process.pid.toString(36)
  let work: string
  let berth: Deployment
  let edge: { readonly http: number; readonly https: number }
  let ca: string

  const templates = `
x-hello: &hello
  image: berth/hello
  port: 8080
  mem_limit: 64m
templates:
  tour:
    <<: *hello
    prefix: tour${own}
    title: The tour
    route: { hosts: [${tryHost}] }
    environment: { HELLO_READY_DELAY: '1500' }
    allow: { guests: true, groups: [admins] }
    pass: { identity: [user, subject, groups, email] }
    idle: { freeze: 3s, stop: 10m }
    lifetime: { max: 1h }
  notes:
    <<: *hello
    prefix: notes${own}
    route: { hosts: [${notesHost}] }
    home: { path: /home/node }
    allow: { guests: true }
  staff:
    <<: *hello
    prefix: staff${own}
    route: { hosts: [${staffHost}] }
`

  const takeDown = takenDownAtTheEnd(async () => {
    await berth?.[Symbol.asyncDispose]()
    await rm(work, { recursive: true, force: true })
  })
  before(async () => {
    work = await mkdtemp(join(tmpdir(), 'berth-guests-'))
    const [http = 0, https = 0] = await freePorts(2)
    edge = { http, https }
    const context = join(surroundings.root, 'edge')
    await run('docker', ['build', '--quiet', '--tag', serviceImage('edge'), context], {
      withinMs: 300_000,
    })
    berth = await deploy({
      name: 'guests',
      profiles: ['edge'],
      templates,
      settings: {
        EDGE_HOSTS: [site, `portal.${site}`, tryHost, notesHost, staffHost].join(', '),
        EDGE_GUEST_HOSTS: [tryHost, notesHost, staffHost].join(' '),
        EDGE_HTTP_PORT: String(http),
        EDGE_HTTPS_PORT: String(https),
        PUBLIC_URL: `https://${site}`,
        PORTAL_URL: `https://portal.${site}`,
        GUEST_PORT: String(guestPort),
        GUEST_URL: `https://${tryHost}`,
        MAX_GUESTS: '4',
        GUESTS_PER_ADDRESS: '2',
        RECONCILE_EVERY: '1s',
        OAUTH2_PROXY_REVERSE_PROXY: 'true',
        OAUTH2_PROXY_COOKIE_SECURE: 'true',
      },
    })
    const file = join(work, 'root.crt')
    await berth.compose('cp', 'edge:/data/caddy/pki/authorities/local/root.crt', file)
    ca = await readFile(file, 'utf8')
    await eventually('the edge answers', 30_000, async () => {
      const answer = await ask(tryHost, '/')
      answer.leave()
      return answer.status === 401
    })
  })
  after(takeDown)

  /** Through the edge. */
  function ask(host: string, path: string, headers: Record<string, string> = {}, method = 'GET') {
    const place = { host: '127.0.0.1', port: edge.https, ca, servername: host }
    return send({ url: new URL(path, `https://${host}`), place, headers, method })
  }

  const visit = (host: string, path: string, headers: Record<string, string> = {}) =>
    ask(host, path, { ...navigation, ...headers })

  async function guestPlace(): Promise<Place> {
    const [place] = await berth.directorPlaces()
    assert.ok(place !== undefined && 'host' in place)
    return { host: place.host, port: guestPort }
  }

  /** As the edge would for a client of that address. */
  async function forClientAt(
    address: string,
    path: string,
    { host = tryHost, headers = {} }: { host?: string; headers?: Record<string, string> } = {},
  ): Promise<Answer> {
    const forwarded = { ...navigation, 'x-forwarded-for': address, ...headers }
    return send({
      url: new URL(path, `https://${host}`),
      place: await guestPlace(),
      headers: forwarded,
    })
  }

  const cookieIn = ({ setCookies }: Answer): string => setCookies[0]?.split(';', 1)[0] ?? ''

  async function guestAt(address: string): Promise<string> {
    const answer = await forClientAt(address, '/')
    answer.leave()
    assert.equal(answer.status, 303)
    return cookieIn(answer)
  }

  async function codeOf(answer: Answer): Promise<string> {
    return (await answer.json<{ code: string }>()).code
  }

  const guestsThere = async (): Promise<string[]> =>
    (await workspacesOf(berth.engine, berth.instance)).map(
      ({ Labels }) => Labels['berth.user'] ?? '',
    )

  /** Stops the workspace, as its guest does. */
  async function leave(host: string, cookie: string): Promise<void> {
    const answer = await ask(
      host,
      '/.berth/stop',
      { cookie, origin: `https://${host}`, 'content-length': '0' },
      'POST',
    )
    answer.leave()
    assert.equal(answer.status, 202)
  }

  async function cookieOf(context: BrowserContext, host = tryHost): Promise<string> {
    const [cookie] = (await context.cookies(`https://${host}/`)).filter(
      ({ name }) => name === cookieName,
    )
    assert.ok(cookie !== undefined, 'the browser has the cookie')
    return `${cookieName}=${cookie.value}`
  }

  const forTheEdge = () =>
    new Map([
      [80, edge.http],
      [443, edge.https],
    ])

  it('starts nothing for clients that keep no cookie: crawlers, checks, curl, and requests that visit no page', async () => {
    const resolve = [
      '--cacert',
      join(work, 'root.crt'),
      '--resolve',
      `${tryHost}:${edge.https}:127.0.0.1`,
    ]
    const address = `https://${tryHost}:${edge.https}/`
    for (const options of [[], ['--head'], ['--data', 'a=b'], ['--header', 'accept: image/*']])
      assert.equal((await curl(...resolve, ...options, address)).status, 401, options.join(' '))
    const crawler = await curl(
      ...resolve,
      ...['--location', '--max-redirs', '5', '--header', 'accept: text/html', address],
    )
    assert.equal(crawler.status, 401)
    assert.match(crawler.body, /needs cookies/)
    await assert.rejects(
      openWebSocket(
        new URL(`https://${tryHost}/ws`),
        { host: '127.0.0.1', port: edge.https, ca, servername: tryHost },
        { origin: `https://${tryHost}` },
      ),
      (error) => error instanceof UpgradeRefused && error.status === 401,
    )
    const prefetch = await visit(tryHost, '/', { 'sec-purpose': 'prefetch' })
    assert.equal(prefetch.status, 401)
    prefetch.leave()
    const jar = join(work, 'jar')
    const kept = await curl(
      ...resolve,
      ...['--cookie-jar', jar, '--cookie', jar, '--header', 'accept: text/html', address],
    )
    assert.equal(kept.status, 303, 'a cookie alone is no start')
    assert.deepEqual(await guestsThere(), [])
  })

  it('hazard: forged, cut, changed, foreign and gateway cookies; none is a guest', async () => {
    const good = await guestAt('192.0.2.77')
    const [name = '', value = ''] = good.split('=')
    const [origin, id, issuedAt, signature = ''] = value.split('.')
    for (const cookie of [
      `${name}=${value.slice(0, -1)}`,
      `${name}=${value}A`,
      `${name}=${origin}.${id}.${issuedAt}`,
      `${name}=${origin}.${id}.${issuedAt}.${'A'.repeat(signature.length)}`,
      `${name}=elsewhere.${id}.${issuedAt}.${signature}`,
      `${name}=${origin}.${id}.zzzzzzzzz.${signature}`,
      `${name}=`,
      `berth_guest=${value}`,
      `_oauth2_proxy=${value}`,
      `${name}x=${value}`,
    ]) {
      const answer = await ask(tryHost, '/whoami', { cookie })
      assert.equal(answer.status, 401, cookie)
      assert.equal(await codeOf(answer), 'cookie_missing')
    }
    assert.deepEqual(await guestsThere(), [])
  })

  it('gives each browser a workspace of its own, with the loading page, WebSockets, freeze and thaw', async () => {
    await using browser = await openBrowser(forTheEdge())
    const names: string[] = []
    const cookies: string[] = []
    for (const which of ['first', 'second']) {
      const context = await openProfile(browser, { script: true, anyCertificate: true })
      const page = await context.newPage()
      page.setDefaultTimeout(60_000)
      await page.goto(`https://${tryHost}/?from=${which}`)
      if (which === 'first') await seeLoadingPage(page)
      await page.waitForSelector('#who')
      assert.equal(page.url(), `https://${tryHost}/?from=${which}`)
      const who = await eventually('its container is there', 10_000, async () =>
        (await guestsThere()).find((name) => !names.includes(name)),
      )
      assert.match(who, /^guest--[0189][a-z2-7]{9}$/)
      names.push(who)
      const cookie = (await context.cookies()).find(({ name }) => name === cookieName)
      assert.ok(cookie !== undefined)
      assert.deepEqual(
        [cookie.domain, cookie.path, cookie.secure, cookie.httpOnly, cookie.sameSite],
        [tryHost, '/', true, true, 'Lax'],
      )
      assert.ok(cookie.expires > Date.now() / 1_000 + 6 * 86_400)
      assert.equal(await page.evaluate('document.cookie'), '')
      cookies.push(await cookieOf(context))
      const said = await page.evaluate(
        (url) =>
          new Promise((resolve, reject) => {
            const socket = new WebSocket(url)
            socket.onopen = () => socket.send('from the page')
            socket.onmessage = ({ data }) => resolve(data)
            socket.onerror = () => reject(new Error('the WebSocket failed'))
          }),
        `wss://${tryHost}/ws`,
      )
      assert.equal(said, 'from the page')
      const workspace = `tour${own}-${who}`
      await eventually('it freezes', 30_000, async () => {
        const { State } = await inspected(berth.engine, workspace)
        return State.Status === 'paused'
      })
      await page.goto(`https://${tryHost}/?from=${which}`)
      await page.waitForSelector('#who')
    }
    assert.equal(new Set(names).size, 2)

    // Both came from this machine: it may have no third guest.
    const context = await openProfile(browser, { script: true, anyCertificate: true })
    const page = await context.newPage()
    const refused = await page.goto(`https://${tryHost}/`)
    assert.equal(refused?.status(), 429)
    assert.ok(Number(refused?.headers()['retry-after']) > 0)
    assert.match(
      (await page.textContent('h1')) ?? '',
      /no room for one more guest from your network/,
    )
    assert.equal(
      await page.locator('a:has-text("Sign out"), a:has-text("All workspaces")').count(),
      0,
    )
    await expectFitOnEveryScreen(page, '42-too-many-guests-of-a-network')

    // It goes on by itself once a guest has left.
    await leave(tryHost, cookies[0] ?? '')
    await page.waitForSelector('#who')
    await leave(tryHost, cookies[1] ?? '')
    await leave(tryHost, await cookieOf(context))
    await eventually('no guest is there', 30_000, async () => (await guestsThere()).length === 0)
  })

  async function seeLoadingPage(page: Page): Promise<void> {
    const footer = (await page.textContent('footer')) ?? ''
    assert.match(footer, /You are the guest guest--/)
    assert.doesNotMatch(footer, /Sign out|All workspaces/)
  }

  it('hazard: identity headers and tokens of the client; the application and Berth see the guest alone', async () => {
    const cookie = await guestAt('192.0.2.1')
    const forged = {
      cookie,
      'x-forwarded-preferred-username': 'admin',
      'x-forwarded-user': 'u-admin',
      'x-forwarded-groups': 'admins',
      'x-forwarded-email': 'admin@berth.test',
      'x-forwarded-access-token': 'token',
      'berth-gateway-secret': berth.gatewaySecret,
      'berth-user': 'admin',
    }
    const echo = await eventually('the workspace answers', 60_000, async () => {
      const answer = await forClientAt('192.0.2.1', '/echo', { headers: forged })
      if (answer.status === 200) return answer.json<Echo>()
      answer.leave()
      return undefined
    })
    const valuesOf = (name: string) =>
      echo.headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
    assert.match(valuesOf('x-forwarded-preferred-username').join(), /^guest--[0189][a-z2-7]{9}$/)
    assert.equal(valuesOf('x-forwarded-user').length, 1)
    assert.doesNotMatch(valuesOf('x-forwarded-user').join(), /admin/)
    for (const name of ['groups', 'email', 'access-token'])
      assert.deepEqual(valuesOf(`x-forwarded-${name}`), [], name)
    assert.deepEqual(valuesOf('cookie'), [])
    assert.match(valuesOf('x-forwarded-for').join(), /^192\.0\.2\.1, /)
    const status = await forClientAt('192.0.2.1', '/.berth/status', { headers: forged })
    const { workspace } = await status.json<{ workspace: string }>()
    assert.match(workspace, new RegExp(`^tour${own}-guest--`))

    await leave(tryHost, cookie)
    await eventually('the guest has left', 30_000, async () => (await guestsThere()).length === 0)
  })

  it('serves only templates that allow guests, and neither portal, API, administration nor sign-out', async () => {
    const cookie = await guestAt('192.0.2.1')
    for (const [host, path] of [
      [staffHost, '/'],
      [`portal.${site}`, '/'],
      [`portal.${site}`, '/keys'],
      [`portal.${site}`, '/admin'],
      [`portal.${site}`, '/api/v1/workspaces'],
    ] as const) {
      const answer = await forClientAt('192.0.2.1', path, { host, headers: { cookie } })
      assert.equal(answer.status, 404, host + path)
      assert.match(await answer.text(), /template_unknown/)
    }
    for (const path of ['/.berth/sign-out', '/.berth/keys']) {
      const answer = await forClientAt('192.0.2.1', path, { headers: { cookie } })
      assert.equal(answer.status, 404, path)
      answer.leave()
    }
    assert.deepEqual(await guestsThere(), [])
  })

  it('takes the home of a guest away with the workspace', async () => {
    const cookie = await guestAt('192.0.2.1')
    const who = await eventually('the workspace answers', 60_000, async () => {
      const answer = await forClientAt('192.0.2.1', '/whoami', {
        host: notesHost,
        headers: { cookie },
      })
      answer.leave()
      return answer.status === 200 && (await guestsThere())[0]
    })
    const volume = `${berth.instance}-${who}-home`
    const volumes = async () =>
      (await volumesOf(berth.engine, berth.instance)).map(({ Name }) => Name)
    assert.ok((await volumes()).includes(volume))
    await leave(notesHost, cookie)
    await eventually('container and home are gone', 30_000, async () => {
      return (await guestsThere()).length === 0 && !(await volumes()).includes(volume)
    })
  })

  it('refuses guests beyond MAX_GUESTS, and lets the next one in when one has left', async () => {
    const cookies: string[] = []
    for (const address of ['192.0.2.1', '192.0.2.1', '2001:db8::1', '2001:db8::2']) {
      const cookie = await guestAt(address)
      cookies.push(cookie)
      const answer = await forClientAt(address, '/', { headers: { cookie } })
      assert.ok([200, 503].includes(answer.status))
      assert.notEqual(answer.headers['berth-phase'], 'absent')
      answer.leave()
    }
    const cookie = await guestAt('192.0.2.3')
    const refused = await forClientAt('192.0.2.3', '/', { headers: { cookie } })
    assert.equal(refused.status, 503)
    assert.ok(Number(refused.headers['retry-after']) > 0)
    assert.match(await refused.text(), /no room for one more guest</)
    const program = await forClientAt('192.0.2.3', '/', { headers: { cookie, accept: '*/*' } })
    assert.equal(await codeOf(program), 'limit_guests')
    const many = await guestAt('2001:db8::ffff')
    const program2 = await forClientAt('2001:db8::ffff', '/', {
      headers: { cookie: many, accept: '*/*' },
    })
    assert.equal(program2.status, 429)
    assert.ok(Number(program2.headers['retry-after']) > 0)
    assert.equal(await codeOf(program2), 'limit_guests_address')

    await eventually('the first guest works', 60_000, async () => {
      const answer = await forClientAt('192.0.2.1', '/whoami', {
        headers: { cookie: cookies[0] ?? '' },
      })
      answer.leave()
      return answer.status === 200
    })
    await leave(tryHost, cookies[0] ?? '')
    await eventually('the next guest is served', 60_000, async () => {
      const answer = await forClientAt('192.0.2.3', '/', { headers: { cookie } })
      answer.leave()
      return answer.status === 200
    })
    for (const each of [...cookies.slice(1), cookie]) await leave(tryHost, each)
    await eventually('no guest is there', 30_000, async () => (await guestsThere()).length === 0)
  })

  it('does not make a guest who signs in the person, nor the person a guest', async () => {
    await using browser = await openBrowser(forTheEdge())
    const context = await openProfile(browser, { script: true, anyCertificate: true })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await page.goto(`https://${tryHost}/`)
    await page.waitForSelector('#who')
    const [guest = ''] = await guestsThere()
    await signInWithBrowser(page, `https://${site}/`, 'admin')
    await page.waitForSelector('#who')
    assert.deepEqual((await guestsThere()).sort(), ['admin', guest])
    await page.goto(`https://portal.${site}/`)
    const cards = (await page.textContent('main')) ?? ''
    assert.match(cards, /The tour/)
    await page.goto(`https://${tryHost}/`)
    await page.waitForSelector('#who')
    assert.deepEqual((await guestsThere()).sort(), ['admin', guest])
    await leave(tryHost, await cookieOf(context))

    const [place] = await berth.directorPlaces()
    assert.ok(place !== undefined)
    const atTheGateway = (user: string, groups: string) =>
      asTheGateway(berth, place, user, { host: tryHost, groups }).ask('/.berth/status')
    for (const [user, groups, code] of [
      [guest, 'staff', 'identity_invalid'],
      ['guest--ann', 'admins', 'identity_invalid'],
    ] as const)
      assert.equal(await codeOf(await atTheGateway(user, groups)), code)
    const bob = await atTheGateway('bob', 'staff')
    assert.match(await bob.text(), /template_forbidden/)
    const carol = await atTheGateway('carol', 'admins')
    assert.doesNotMatch(await carol.text(), /template_forbidden/)
  })

  it('tells a browser without cookies that it needs them', async () => {
    await using browser = await openBrowser(forTheEdge())
    const context = await openProfile(browser, { script: true, anyCertificate: true })
    const page = await context.newPage()
    const told = await page.goto(`https://${tryHost}/.berth/guest?to=%2Fwhoami`)
    assert.equal(told?.status(), 401)
    assert.match((await page.textContent('h1')) ?? '', /needs cookies/)
    await expectFitOnEveryScreen(page, '42-cookies-are-needed')
    // It has them now: the button leads on.
    await page.click('text=Try again')
    await page.waitForURL(`https://${tryHost}/whoami`)
    await leave(tryHost, await cookieOf(context))
  })

  it('ends all guests with a new secret, and gives a cookie for http where guests come by http', async () => {
    const former = await guestAt('192.0.2.1')
    const secret = 'a-new-secret-of-guests'
    const known = await forClientAt('192.0.2.1', '/.berth/status', { headers: { cookie: former } })
    assert.equal(known.status, 200)
    known.leave()
    await berth.reconfigure(
      {
        GUEST_SECRET: secret,
        GUEST_URL: `http://${tryHost}`,
        GUEST_COOKIE_AGE: '1m',
      },
      'director',
    )
    const answer = await forClientAt('192.0.2.1', '/')
    answer.leave()
    const [setCookie = ''] = answer.setCookies
    assert.match(setCookie, /^berth_guest=[^;]+; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/)
    const statusWith = async (cookie: string): Promise<number> => {
      const told = await forClientAt('192.0.2.1', '/.berth/status', {
        headers: { cookie, accept: 'application/json' },
      })
      told.leave()
      return told.status
    }
    assert.equal(await statusWith(cookieIn(answer)), 200)
    assert.equal(await statusWith(former), 401)
    // A cookie of this test, signed with the secret that it has chosen.
    const issued = (agoMs: number): string => {
      const text = `here.${'A'.repeat(22)}.${(Date.now() - agoMs).toString(36)}`
      const key = createHmac('sha256', secret).update('cookies of guests').digest()
      const signature = createHmac('sha256', key).update(text).digest('base64url')
      return `berth_guest=${text}.${signature}`
    }
    assert.equal(await statusWith(issued(30_000)), 200)
    assert.equal(await statusWith(issued(60_000)), 401)
    assert.equal(await statusWith(former.replace('__Host-', '')), 401)
  })
})
