// Proof 34: a whole deployment behind TLS: Caddy of the profile `edge` with its internal authority, and, on a network of
// their own that docker-compose.proxy.yml names, nginx and Apache with the lines of docs/set-up.md.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { arrive } from '../clients/arrival.ts'
import { openBrowser, signInWithBrowser } from '../clients/browser.ts'
import { createCookieJar } from '../clients/cookie-jar.ts'
import { send } from '../clients/http.ts'
import { createPerson, navigation, signIn, type Person } from '../clients/people.ts'
import type { Site } from '../clients/sign-in.ts'
import { deploy, type Deployment } from '../deployment/deployment.ts'
import { serviceImage } from '../deployment/gateway.ts'
import { plant, secretsIn } from '../deployment/planted-secrets.ts'
import { prepareProxies, type Proxies, type ProxyPorts } from '../deployment/proxies.ts'
import { inspect } from '../engine/belongings.ts'
import { run } from '../run/command.ts'
import { eventually } from '../run/deadline.ts'
import { freePorts } from '../run/free-ports.ts'
import { surroundings } from '../run/surroundings.ts'

type Front = 'edge' | 'nginx' | 'apache'
interface Echo {
  readonly target: string
  readonly headers: readonly (readonly [string, string])[]
}
type Line = Readonly<Record<string, unknown>>

const people = { edge: 'alice', nginx: 'bob', apache: 'carol' } as const
const hosts = ['localhost', 'portal.localhost']
const idOf = { edge: /^[0-9a-f-]{36}$/, nginx: /^[0-9a-f]{32}$/, apache: /^[\w@-]{24,}$/ } as const

describe('proof 34: a deployment behind TLS', () => {
  let work: string
  let proxies: Proxies
  let berth: Deployment
  let edge: ProxyPorts
  let edgeCa: string

  before(async () => {
    work = await mkdtemp(join(tmpdir(), 'berth-proxies-'))
    proxies = await prepareProxies(work, hosts)
    const [http = 0, https = 0] = await freePorts(2)
    edge = { http, https }
    const context = join(surroundings.root, 'edge')
    const args = ['build', '--quiet', '--tag', serviceImage('edge'), context]
    await run('docker', args, { withinMs: 300_000 })
    berth = await deploy({
      name: 'edge',
      profiles: ['edge'],
      moreComposeFiles: ['docker-compose.proxy.yml'],
      beforeUp: async (engine, instance) => {
        const labels = { 'berth.instance': instance }
        await engine.post('/networks/create', {}, { Name: `${instance}-proxy`, Labels: labels })
      },
      afterUp: (_engine, instance) => proxies.start(instance),
      // The gateway has no port of its own on this machine.
      reach: async (port, role) => ({
        host: '127.0.0.1',
        port: role === 'gateway' ? proxies.nginx.http : port,
      }),
      settings: {
        PROXY_NETWORK: `${surroundings.instance}-edge-proxy`,
        EDGE_HOSTS: hosts.join(', '),
        EDGE_HTTP_PORT: String(http),
        EDGE_HTTPS_PORT: String(https),
        PUBLIC_URL: 'https://localhost',
        PORTAL_URL: 'https://portal.localhost',
        OAUTH2_PROXY_REVERSE_PROXY: 'true',
        OAUTH2_PROXY_COOKIE_SECURE: 'true',
        LOG_LEVEL: 'debug',
      },
    })
    const file = join(work, 'root.crt')
    await berth.compose('cp', 'edge:/data/caddy/pki/authorities/local/root.crt', file)
    edgeCa = await readFile(file, 'utf8')
    for (const front of ['edge', 'apache'] as const)
      await eventually(`${front} answers`, 30_000, async () => {
        const answer = await visit(front, 'https://localhost/')
        answer.leave()
        return answer.status < 500
      })
  })
  after(async () => {
    await berth?.[Symbol.asyncDispose]()
    await rm(work, { recursive: true, force: true })
  })

  const portsOf = (front: Front): ProxyPorts => (front === 'edge' ? edge : proxies[front])

  function siteBehind(front: Front, host = 'localhost'): Site {
    const ca = front === 'edge' ? edgeCa : proxies.ca
    const { http, https } = portsOf(front)
    return {
      origin: `https://${host}`,
      placeOf(url) {
        if (url.port !== '') return berth.site.placeOf(url)
        if (url.protocol === 'http:') return { host: '127.0.0.1', port: http }
        return { host: '127.0.0.1', port: https, ca, servername: url.hostname }
      },
    }
  }

  function visit(front: Front, address: string, headers: Record<string, string> = {}) {
    const url = new URL(address)
    return send({
      url,
      place: siteBehind(front).placeOf(url),
      headers: { ...navigation, ...headers },
    })
  }

  const linesAbout = async (role: 'director' | 'spawner', id: string): Promise<unknown[]> =>
    (await berth.logs(role, 'all'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Line)
      .filter(({ requestId }) => requestId === id)
      .map(({ message }) => message)

  const valuesOf = (name: string, { headers }: Echo): string[] =>
    headers.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)

  it('publishes no port of the gateway when a proxy has a network of its own', async () => {
    const [gateway] = await berth.services('gateway')
    assert.deepEqual(gateway?.HostConfig['PortBindings'] ?? {}, {})
    const networks = Object.keys(gateway?.NetworkSettings.Networks ?? {}).sort()
    assert.deepEqual(networks, [`${berth.instance}-front`, `${berth.instance}-proxy`])
    for (const role of ['director', 'spawner', 'idp'] as const)
      for (const { NetworkSettings } of await berth.services(role))
        assert.ok(!(`${berth.instance}-proxy` in NetworkSettings.Networks), role)
  })

  it('is reached over https only: http leads there, with path and query', async () => {
    for (const front of ['edge', 'nginx'] as const) {
      const answer = await visit(front, 'http://localhost/lab/a%2Fb?x=1')
      assert.equal(answer.status, 308)
      assert.equal(answer.headers.location, 'https://localhost/lab/a%2Fb?x=1')
      answer.leave()
    }
  })

  for (const front of ['edge', 'nginx', 'apache'] as const)
    describe(`behind ${front}`, () => {
      let person: Person
      before(async () => {
        person = await signIn(siteBehind(front), people[front])
      })

      it('signs people in at the name that they opened, whatever a client says of it', async () => {
        const answer = await visit(front, 'https://localhost/lab', {
          'x-forwarded-host': 'evil.example',
          'x-forwarded-proto': 'http',
        })
        assert.equal(answer.status, 302)
        const target = new URL(answer.headers.location ?? '')
        assert.equal(target.searchParams.get('redirect_uri'), 'https://localhost/oauth2/callback')
        assert.ok(answer.setCookies.length > 0)
        for (const cookie of answer.setCookies) assert.match(cookie, /; *secure/i)
        answer.leave()
      })

      it('has one id for a request, from the proxy to the workspace and back', async () => {
        const first = await person.navigate('/echo')
        const started = String(first.headers['x-request-id'])
        assert.match(started, idOf[front])
        first.leave()
        ;(await arrive(person, '/echo')).leave()
        await eventually('the spawner has logged the start with it', 10_000, async () =>
          (await linesAbout('spawner', started)).includes('workspace ready'),
        )
        const answer = await person.ask('/echo', { headers: { 'x-request-id': 'of-the-client' } })
        const id = String(answer.headers['x-request-id'])
        assert.match(id, idOf[front])
        assert.deepEqual(valuesOf('x-request-id', await answer.json<Echo>()), [id])
        await eventually('the director has logged it', 10_000, async () =>
          (await linesAbout('director', id)).includes('request ended'),
        )
        const status = await person.fetch('/.berth/status')
        assert.match(String(status.headers['x-request-id']), idOf[front])
        status.leave()
      })

      it('tells the workspace what the person asked for, and from where', async () => {
        const answer = await person.ask('/echo/a%2Fb/c?d=%2F', {
          headers: { 'x-forwarded-for': '203.0.113.7', 'x-forwarded-host': 'evil.example' },
        })
        const echo = await answer.json<Echo>()
        assert.equal(echo.target, '/echo/a%2Fb/c?d=%2F')
        assert.deepEqual(valuesOf('host', echo), ['localhost'])
        assert.deepEqual(valuesOf('x-forwarded-host', echo), ['localhost'])
        assert.deepEqual(valuesOf('x-forwarded-proto', echo), ['https'])
        const [from = ''] = valuesOf('x-forwarded-for', echo)
        assert.match(from, /^[\d.]+(, [\d.]+)*$/)
        assert.ok(!from.includes('203.0.113.7'), from)
      })

      it('passes WebSockets, events at once, and uploads of any size', async () => {
        const socket = await person.webSocket('/ws')
        socket.send('over TLS')
        assert.equal(await socket.next(), 'over TLS')
        socket.close()
        const events = await person.events('/events?every=600000')
        await events.first('the first of two events that are ten minutes apart', 10_000, () => true)
        events.close()
        const body = randomBytes(4 * 1024 * 1024)
        const answer = await person.ask('/sha256', { method: 'POST', body })
        const { sha256 } = await answer.json<{ sha256: string }>()
        assert.equal(sha256, createHash('sha256').update(body).digest('hex'))
      })
    })

  it('lets people work in a browser: Secure cookies, WebSockets, the portal, and signing out', async () => {
    await using browser = await openBrowser(
      new Map([
        [80, edge.http],
        [443, edge.https],
      ]),
    )
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    await signInWithBrowser(page, 'http://portal.localhost/', 'admin')
    await page.waitForURL('https://portal.localhost/')
    const sessions = (await context.cookies('https://portal.localhost/')).filter(({ name }) =>
      name.startsWith('_oauth2_proxy'),
    )
    assert.ok(sessions.length > 0)
    for (const { name, secure, httpOnly } of sessions) assert.ok(secure && httpOnly, name)

    await page.click('button:has-text("Start")')
    await eventually('the workspace runs', 60_000, async () =>
      (await page.textContent('main'))?.includes('Running'),
    )
    await page.goto('https://localhost/')
    await page.waitForSelector('#who')
    const said = await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const socket = new WebSocket('wss://localhost/ws')
          socket.onopen = () => socket.send('from the page')
          socket.onmessage = ({ data }) => resolve(data)
          socket.onerror = () => reject(new Error('the WebSocket failed'))
        }),
    )
    assert.equal(said, 'from the page')

    await page.goto('https://portal.localhost/')
    await page.click('button:has-text("Stop")')
    await eventually('its container has ended', 60_000, async () => {
      const there = await inspect(berth.engine, berth.workspaceName('admin'))
      return there?.State.Running !== true
    })
    await page.click('text=Sign out')
    await page.waitForSelector('input[name=password]')
    await page.goto('https://portal.localhost/')
    await page.waitForSelector('input[name=password]')
    await context.close()
  })

  it('hazard: the edge logs a request that fails, without its query, its cookies and its tokens', async () => {
    const token = `planted-${randomBytes(12).toString('hex')}`
    plant('query of a request that failed', token)
    await berth.compose('stop', 'gateway')
    try {
      const stranger = createPerson(siteBehind('edge'), 'nobody', createCookieJar())
      const answer = await stranger.navigate(`/oauth2/callback?code=${token}`, {
        headers: { referer: `https://localhost/?token=${token}`, authorization: `Bearer ${token}` },
      })
      assert.equal(answer.status, 502)
      answer.leave()
      const log = await eventually('Caddy has logged it', 10_000, async () => {
        const text = await berth.logs('edge', 'all')
        return text.includes('http.log.error') && text
      })
      assert.deepEqual(secretsIn(log), [])
    } finally {
      await berth.compose('start', 'gateway')
    }
  })

  it('hazard: signs people in over https also when the gateway believes no proxy', async () => {
    await berth.reconfigure({ OAUTH2_PROXY_REVERSE_PROXY: '' }, 'gateway')
    const answer = await visit('edge', 'https://localhost/lab')
    assert.equal(answer.status, 302)
    const target = new URL(answer.headers.location ?? '')
    assert.equal(target.searchParams.get('redirect_uri'), 'https://localhost/oauth2/callback')
    assert.ok(answer.setCookies.length > 0)
    for (const cookie of answer.setCookies) assert.match(cookie, /; *secure/i)
    answer.leave()
    const person = await signIn(siteBehind('edge'), 'alice')
    ;(await arrive(person, '/echo')).leave()
  })
})
