import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import { createProblem } from '@berth/shared/problems'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { connectRaw } from '../testing/loopback.ts'
import {
  answerTo,
  granted,
  hold,
  labRoute,
  startTestBed,
  type TestBed,
} from '../testing/test-bed.ts'

const head = (line: string, ...headers: string[]) =>
  [
    line,
    'Host: berth.test',
    'X-Forwarded-Preferred-Username: alice',
    'X-Forwarded-User: u-alice',
    ...headers,
    '',
    '',
  ].join('\r\n')

const connect = (bed: TestBed) => connectRaw({ host: '127.0.0.1', port: bed.director.port })
const codeOf = (body: string) => (JSON.parse(body) as { code: string }).code

describe('the listener', () => {
  it('closes a connection from a workspace before a byte is read', async () => {
    const pool = parseSubnetPool('127.0.0.0/8')
    assert(pool !== undefined)
    await using bed = await startTestBed({ config: { NETWORK_POOL: pool } })
    using raw = await connect(bed)
    assert.equal(await raw.end(), '')
    using ops = await connectRaw({ host: '127.0.0.1', port: bed.director.opsPort })
    assert.equal(await ops.end(), '')
  })

  it('refuses requests without identity and does not call the spawner about them', async () => {
    await using bed = await startTestBed()
    bed.spawner.seats = async () => 500
    const answer = await bed.request({ headers: { 'x-forwarded-preferred-username': '' } })
    assert.equal(answer.status, 401)
    assert.equal(codeOf(answer.body), 'identity_missing')
    using raw = await connect(bed)
    raw.send(head('GET / HTTP/1.1', 'X-Forwarded-Preferred-Username: bob', 'Connection: close'))
    assert.match(await raw.end(), /^HTTP\/1\.1 403 [^]*identity_ambiguous/)
    assert.deepEqual(bed.spawner.asked, [])
  })

  it('answers data that is not HTTP with 400, and too long headers with 431', async () => {
    await using bed = await startTestBed()
    using garbage = await connect(bed)
    garbage.send('GARBAGE\r\n\r\n')
    assert.match(await garbage.end(), /^HTTP\/1\.1 400 [^]*"code":"bad_request"/)
    using long = await connect(bed)
    long.send(head('GET / HTTP/1.1', `X-Long: ${'x'.repeat(70_000)}`, 'Connection: close'))
    assert.match(await long.end(), /^HTTP\/1\.1 431 /)
  })

  it('serves a request that offers HTTP/2 as an ordinary request', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((req, res) => res.end(`upgrade: ${req.headers.upgrade}`))
    bed.spawner.seats = async () => granted(workspace.address)
    using raw = await connect(bed)
    raw.send(
      head(
        'GET / HTTP/1.1',
        'Connection: Upgrade, HTTP2-Settings, close',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA',
      ),
    )
    assert.match(await raw.end(), /^HTTP\/1\.1 200 OK[^]*upgrade: undefined/)
  })

  it('accepts 60 KiB of headers', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('taken'))
    // The workspace's own server has to take them, too.
    bed.spawner.seats = async () => granted(workspace.address)
    const cookie = `_oauth2_proxy_0=${'x'.repeat(60_000)}`
    assert.equal((await bed.request({ headers: { cookie } })).body, 'taken')
  })

  it('lets a client send its body only once a workspace has accepted the connection', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((req, res) => {
      req.resume()
      req.on('end', () => res.end('stored'))
    })
    const ready = Promise.withResolvers<void>()
    bed.spawner.seats = async () => {
      await ready.promise
      return granted(workspace.address)
    }
    using raw = await connect(bed)
    raw.send(head('PUT /file HTTP/1.1', 'Content-Length: 5', 'Expect: 100-continue'))
    await bed.spawner.until(() => bed.spawner.held() === 1)
    assert.equal(raw.received(), '')
    ready.resolve()
    await raw.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
    raw.send('12345')
    await raw.until(/HTTP\/1\.1 200 OK[^]*stored/)
  })

  it('sends no 100 Continue for a request that it refuses', async () => {
    await using bed = await startTestBed({ config: { REQUEST_WAIT_TIMEOUT: 100 } })
    bed.spawner.seats = ({ waitMs }, signal) => hold(waitMs, signal)
    using raw = await connect(bed)
    raw.send(head('PUT /file HTTP/1.1', 'Content-Length: 5', 'Expect: 100-continue'))
    const answer = await raw.end()
    assert.match(answer, /^HTTP\/1\.1 503 [^]*"code":"starting"/)
    assert.doesNotMatch(answer, /100 Continue/)
  })

  it('bounds what one person has open at once, held requests included', async () => {
    await using bed = await startTestBed({ config: { MAX_CONNECTIONS_PER_USER: 3 } })
    bed.spawner.seats = ({ waitMs }, signal) => hold(waitMs, signal)
    const held = Array.from({ length: 3 }, () => bed.begin({}))
    for (const request of held) {
      request.on('error', () => request.destroy())
      request.end()
    }
    await bed.spawner.until(() => bed.spawner.held() > 0)
    let answer = await bed.request({ method: 'DELETE', path: '/.berth/none' })
    while (answer.status === 404)
      answer = await bed.request({ method: 'DELETE', path: '/.berth/none' })
    assert.equal(answer.status, 429)
    assert.equal(codeOf(answer.body), 'limit_connections')
    const other = await bed.request({ path: '/.berth/none', user: 'bob' })
    assert.equal(other.status, 404)
    for (const request of held) request.destroy()
  })

  it("passes Berth's own paths to the spawner unchanged, with the person", async () => {
    await using bed = await startTestBed()
    bed.spawner.pass = (_req, res) => void res.writeHead(303, { location: '/there' }).end()
    const answer = await bed.request({
      method: 'POST',
      path: '/.berth/start?to=%2Fx',
      body: 'to=%2Fx',
      user: 'alice',
      headers: {
        origin: 'http://berth.test',
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
        'berth-user': 'admin',
        'berth-groups': 'admins',
        cookie: '_oauth2_proxy=secret; own=1',
        'x-forwarded-groups': 'staff,a b',
      },
    })
    assert.equal(answer.status, 303)
    assert.equal(answer.headers.location, '/there')
    const [passed] = bed.spawner.passed
    assert.equal(passed?.method, 'POST')
    assert.equal(passed?.target, '/.berth/start?to=%2Fx')
    assert.equal(passed?.body, 'to=%2Fx')
    assert.equal(passed?.headers['berth-user'], 'alice')
    assert.equal(passed?.headers['berth-subject'], 'u-alice')
    assert.equal(passed?.headers['berth-groups'], 'staff,a%20b')
    assert.equal(passed?.headers['berth-template'], 'lab')
    assert.equal(passed?.headers.origin, 'http://berth.test')
    assert.equal(passed?.headers['sec-fetch-site'], 'same-origin')
    assert.equal(passed?.headers['x-forwarded-host'], 'berth.test')
    assert.equal(passed?.headers.cookie, 'own=1')
    assert.deepEqual(bed.spawner.asked, [])
  })

  it("passes the spawner's events on one at a time", async () => {
    await using bed = await startTestBed()
    const second = Promise.withResolvers<void>()
    bed.spawner.pass = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' })
      res.write('data: one\n\n')
      void second.promise.then(() => res.end('data: two\n\n'))
    }
    const sent = bed.begin({ path: '/.berth/events' })
    sent.end()
    const [response] = (await once(sent, 'response')) as [http.IncomingMessage]
    const [first] = (await once(response, 'data')) as [Buffer]
    assert.equal(first.toString(), 'data: one\n\n')
    second.resolve()
    const [last] = (await once(response, 'data')) as [Buffer]
    assert.equal(last.toString(), 'data: two\n\n')
  })

  it('refuses a host that no template has with a page, and the log names the variable to set', async () => {
    await using bed = await startTestBed({ config: { PUBLIC_URL: 'https://berth.test' } })
    await bed.introduce([labRoute])
    const headers = { host: 'other.test' }
    const page = await bed.request({ navigation: true, headers })
    assert.equal(page.status, 404)
    assert.match(page.body, /at this host name\..*an administrator has to set it/)
    assert.match(page.body, /404 template_unknown/)
    const line = await bed.logged(({ message }) => message === 'request ended')
    assert.match(String(line['cause']), /set PUBLIC_URL .*none has the host other\.test$/)
  })

  it('names gateway_untrusted on the page if gateway and director have different secrets', async () => {
    const ours = new Secret('the secret of the director')
    await using bed = await startTestBed({ config: { GATEWAY_SECRET: ours } })
    await bed.introduce([labRoute])
    const headers = { 'berth-gateway-secret': 'the secret of the gateway' }
    const page = await bed.request({ navigation: true, headers })
    assert.equal(page.status, 403)
    assert.match(page.body, /403 gateway_untrusted/)
  })

  it('is ready once the spawner has sent the routes', async () => {
    await using bed = await startTestBed()
    const ready = async () =>
      (await fetch(`http://127.0.0.1:${bed.director.opsPort}/readyz`)).status
    assert.equal(await ready(), 503)
    await bed.introduce([labRoute])
    assert.equal(await ready(), 200)
  })

  it('refuses requests as temporary before the first snapshot if no setting describes a template', async () => {
    await using bed = await startTestBed({
      config: { CONTAINER_HOST_PREFIX: undefined, CONTAINER_PORT: undefined },
    })
    const before = await bed.request({})
    assert.equal(before.status, 503)
    assert.equal(codeOf(before.body), 'spawner_unreachable')
    await bed.introduce([{ ...labRoute, hosts: ['lab.test'] }])
    assert.equal(codeOf((await bed.request({})).body), 'template_unknown')
  })

  it('writes one line for each request, without its query', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((req, res) => {
      req.resume()
      req.on('end', () => res.writeHead(201).end('hello'))
    })
    bed.spawner.seats = async () => granted(workspace.address)
    await bed.request({ method: 'POST', path: `/a?token=secret`, body: 'abc' })
    const line = await bed.logged(({ message }) => message === 'request ended')
    assert.equal(line.user, 'alice')
    assert.equal(line.workspace, 'lab-alice')
    assert.equal(line.method, 'POST')
    assert.equal(line.path, '/a')
    assert.equal(line.status, 201)
    assert.equal(line.bytesIn, 3)
    assert.equal(line.bytesOut, 5)
    assert.equal(line.upgrade, false)
    assert.equal(typeof line.ms, 'number')
  })

  it('logs why a request was refused or failed', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((req) => req.socket.resetAndDestroy())
    bed.spawner.seats = async () => granted(workspace.address)
    await bed.request({ path: '/reset' })
    const failed = await bed.logged(({ path }) => path === '/reset')
    assert.equal(failed.code, 'workspace_unreachable')
    assert.match(String(failed.cause), /reset|closed/i)
    bed.spawner.seats = async () => createProblem(undefined, 'queue_full', 'Too many wait.')
    await bed.request({ path: '/full', headers: { 'x-forwarded-preferred-username': 'bob' } })
    const refused = await bed.logged(({ path }) => path === '/full')
    assert.equal(refused.code, 'queue_full')
  })
})

describe('the shutdown of a director', () => {
  it('completes requests in flight, accepts no new ones, and reports activity a last time', async () => {
    await using bed = await startTestBed()
    const finish = Promise.withResolvers<void>()
    const workspace = await bed.workspace((_req, res) => {
      res.write('half ')
      void finish.promise.then(() => res.end('whole'))
    })
    bed.spawner.seats = async () => granted(workspace.address)
    const sent = bed.begin({ agent: new http.Agent({ keepAlive: true }) })
    sent.end()
    const answer = answerTo(sent)
    await once(sent, 'response')
    const ended = bed.director[Symbol.asyncDispose]()
    await assert.rejects(connect(bed).then((raw) => raw.socket.destroy()))
    finish.resolve()
    assert.equal((await answer).body, 'half whole')
    await ended
    assert.equal(bed.spawner.reports.at(-1)?.seats[0]?.workspace, 'lab-alice')
  })
})
