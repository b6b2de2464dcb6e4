import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import type { Route } from '@berth/shared/contract'
import { WebSocket, WebSocketServer } from 'ws'
import { granted, labRoute, startTestBed, waiting } from '../testing/test-bed.ts'

const at = (prefix: string, strip: boolean, more: Partial<Route> = {}): Route => ({
  ...labRoute,
  template: prefix.slice(1),
  path: { prefix, strip },
  ...more,
})

async function start(routes: readonly Route[] = [at('/kept', false), at('/cut', true)]) {
  await using stack = new AsyncDisposableStack()
  const bed = stack.use(await startTestBed())
  const workspace = await bed.workspace((req, res) =>
    res.end(`${req.url} ${String(req.headers['x-forwarded-prefix'] ?? '-')}`),
  )
  bed.spawner.seats = async ({ template }) =>
    granted(workspace.address, { workspace: `${template}-alice`, generation: template })
  await bed.introduce(routes)
  const built = stack.move()
  return { bed, workspace, [Symbol.asyncDispose]: () => built.disposeAsync() }
}

describe('a route below a path', () => {
  it('passes the path on unchanged, or without the prefix if the route strips it', async () => {
    await using test = await start()
    for (const [path, seen] of [
      ['/kept/a?b=%2F', '/kept/a?b=%2F -'],
      ['/cut/a%2Fb/../c?/cut', '/a%2Fb/../c?/cut /cut'],
      ['/cut/', '/ /cut'],
      ['/cut', '/ /cut'],
      ['/cut?x', '/?x /cut'],
      ['/kept', '/kept -'],
    ] as const) {
      const { body } = await test.bed.request({
        path,
        headers: { 'x-forwarded-prefix': '/forged' },
      })
      assert.equal(body, seen)
    }
    assert.equal((await test.bed.request({ path: '/cuts' })).status, 404)
    assert.equal((await test.bed.request({ path: '/%63ut/' })).status, 404)
  })

  it('redirects a navigation from a bare prefix that it strips to the path with a slash, and no other request', async () => {
    await using test = await start()
    for (const more of [{ navigation: true }, { method: 'HEAD' }]) {
      const answer = await test.bed.request({ path: '/cut?a=%2F', ...more })
      assert.equal(answer.status, 308)
      assert.equal(answer.headers.location, '/cut/?a=%2F')
      assert.equal(answer.headers['cache-control'], 'no-store')
    }
    assert.equal((await test.bed.request({ path: '/cut', method: 'POST', body: 'x' })).status, 200)
    assert.equal((await test.bed.request({ path: '/cut/', navigation: true })).status, 200)
    assert.equal(test.bed.spawner.passed.length, 0)
  })

  it('hazard: an application that sends /kept/ to /kept loops: a path that is kept is the application’s', async () => {
    await using test = await start()
    for (const more of [{ navigation: true }, { method: 'HEAD' }, {}]) {
      const answer = await test.bed.request({ path: '/kept?a=%2F', ...more })
      assert.equal(answer.status, 200)
      assert.equal(answer.headers.location, undefined)
    }
  })

  it('leads a navigation to its root to the path that it opens at, and no other request', async () => {
    const open = '/vnc.html?autoconnect=true'
    const whole: Route = { ...labRoute, hosts: ['desk.test'], open }
    await using test = await start([
      at('/kept', false, { open }),
      at('/cut', true, { open }),
      whole,
    ])
    for (const [path, host, location] of [
      ['/kept/', 'berth.test', '/kept/vnc.html?autoconnect=true'],
      ['/kept', 'berth.test', '/kept/vnc.html?autoconnect=true'],
      ['/cut/', 'berth.test', '/cut/vnc.html?autoconnect=true'],
      ['/cut', 'berth.test', '/cut/vnc.html?autoconnect=true'],
      ['/', 'desk.test', '/vnc.html?autoconnect=true'],
    ] as const) {
      const answer = await test.bed.request({ path, navigation: true, headers: { host } })
      assert.equal(answer.status, 307, path)
      assert.equal(answer.headers.location, location)
      assert.equal(answer.headers['cache-control'], 'no-store')
      for (const other of [
        { path, method: 'POST', body: 'x' },
        { path },
        { path: `${path}?a`, navigation: true },
        { path: location, navigation: true },
      ])
        assert.notEqual((await test.bed.request({ ...other, headers: { host } })).status, 307)
    }
  })

  it('hazard: refuses a path that begins like a host name once the prefix is stripped', async () => {
    await using test = await start()
    for (const path of ['/cut//evil.test/', '/cut/\\evil.test/'])
      assert.equal((await test.bed.request({ path })).status, 400)
    assert.deepEqual(test.workspace.requests, [])
  })

  it('matches background requests against the path that the workspace sees', async () => {
    const kept = at('/kept', false, { backgroundRequests: ['GET /kept/api/*'] })
    const cut = at('/cut', true, { backgroundRequests: ['GET /api/*'] })
    await using test = await start([kept, cut])
    test.bed.spawner.seats = async () => waiting
    for (const path of ['/kept/api/x', '/cut/api/x'])
      void test.bed
        .request({ path, headers: { 'sec-fetch-mode': 'cors' } })
        .catch((error: unknown) => assert.ok(error))
    await test.bed.spawner.until(() => test.bed.spawner.asked.length >= 2)
    assert.deepEqual(new Set(test.bed.spawner.asked.map(({ start }) => start)), new Set(['no']))
  })

  it("has Berth's own paths and pages below it, and tells the spawner its prefix", async () => {
    const hex = at('/hex', true, { workspace: 'lab-w--1' })
    await using test = await start([at('/kept', false), hex])
    const { bed } = test
    bed.spawner.pass = (_req, res) => res.end('own')
    bed.spawner.seats = async () => waiting
    const forged = { 'berth-base': '/evil', 'berth-workspace': 'lab-bob', 'berth-target': '/evil' }
    for (const [path, target, base, workspace, leadsTo] of [
      ['/kept/.berth/status?x', '/.berth/status?x', '%2Fkept', undefined, undefined],
      ['/hex/.berth/start', '/.berth/start', '%2Fhex', 'lab-w--1', undefined],
      ['/hex/tree?a', '/internal/v1/page', '%2Fhex', 'lab-w--1', '%2Fhex%2Ftree%3Fa'],
      ['/.berth/assets/style.css', '/.berth/assets/style.css', undefined, undefined, undefined],
    ] as const) {
      const answer = await bed.request({ path, navigation: true, headers: forged })
      assert.equal(answer.body, 'own')
      const passed = bed.spawner.passed.at(-1)
      assert.equal(passed?.target, target)
      assert.equal(passed.headers['berth-base'], base)
      assert.equal(passed.headers['berth-workspace'], workspace)
      assert.equal(passed.headers['berth-target'], leadsTo)
    }
    assert.equal((await bed.request({ path: '/.berth/status' })).status, 404)
    assert.equal(bed.spawner.asked.at(-1)?.workspace, 'lab-w--1')
  })

  it('has the answers of its application below the prefix that it strips, also the answer to a handshake', async () => {
    await using test = await start()
    const { bed } = test
    const cookies: [string, string][] = [
      ['/kept/', 'a=1; Path=/'],
      ['/cut/', 'a=1; Path=/cut'],
    ]
    const workspace = await bed.workspace((_req, res) => {
      res.writeHead(302, { location: '/next', 'set-cookie': 'a=1; Path=/' }).end()
    })
    const sockets = new WebSocketServer({ server: workspace.server })
    sockets.on('headers', (lines) => lines.push('Set-Cookie: a=1; Path=/'))
    sockets.on('connection', (socket) => socket.close())
    bed.spawner.seats = async ({ template }) =>
      granted(workspace.address, { workspace: `${template}-bob`, generation: `${template}-2` })
    for (const [path, cookie] of cookies) {
      const { headers } = await bed.request({ path, user: 'bob' })
      assert.deepEqual(headers['set-cookie'], [cookie])
      assert.equal(headers.location, path === '/cut/' ? '/cut/next' : '/next')
      const socket = new WebSocket(`ws://127.0.0.1:${bed.director.port}${path}`, {
        headers: {
          host: 'berth.test',
          'x-forwarded-preferred-username': 'bob',
          'x-forwarded-user': 'u-bob',
        },
      })
      const [answer] = (await once(socket, 'upgrade')) as [IncomingMessage]
      assert.deepEqual(answer.headers['set-cookie'], [cookie])
      await once(socket, 'close')
    }
  })

  it('forwards WebSockets in the same way', async () => {
    await using test = await start()
    const { bed, workspace } = test
    const seen: (string | undefined)[] = []
    const echo = new WebSocketServer({ server: workspace.server })
    echo.on('connection', (socket, req) => {
      seen.push(`${req.url} ${String(req.headers['x-forwarded-prefix'] ?? '-')}`)
      socket.close()
    })
    for (const path of ['/cut/ws?x', '/kept/ws', '/cut']) {
      const socket = new WebSocket(`ws://127.0.0.1:${bed.director.port}${path}`, {
        headers: {
          host: 'berth.test',
          'x-forwarded-preferred-username': 'alice',
          'x-forwarded-user': 'u-alice',
        },
      })
      await once(socket, 'close')
    }
    assert.deepEqual(seen, ['/ws?x /cut', '/kept/ws -', '/ /cut'])
  })

  it('to one workspace alone requests that one, with a seat of its own', async () => {
    await using test = await start([labRoute, at('/hex', true, { workspace: 'lab-w--1' })])
    const { bed, workspace } = test
    bed.spawner.seats = async ({ workspace: wanted = 'lab-alice' }) =>
      granted(workspace.address, { workspace: wanted, generation: wanted })
    await bed.request({ path: '/x' })
    await bed.request({ path: '/hex/x' })
    await bed.request({ path: '/hex/y' })
    assert.deepEqual(
      bed.spawner.asked.map(({ workspace }) => workspace),
      [undefined, 'lab-w--1'],
    )
    const line = await bed.logged(({ path }) => path === '/hex/y')
    assert.equal(line.workspace, 'lab-w--1')
  })
})

it('logs requests of a shared route with the workspace that was granted', async () => {
  await using test = await start([{ ...labRoute, shared: true }])
  const { bed, workspace } = test
  bed.spawner.seats = async () => granted(workspace.address, { workspace: 'lab-shared--7' })
  await bed.request({ path: '/one' })
  assert.equal((await bed.logged(({ path }) => path === '/one')).workspace, 'lab-shared--7')
  await bed.request({ path: '/.berth/two' })
  assert.equal((await bed.logged(({ path }) => path === '/.berth/two')).workspace, 'lab-shared--7')
})
