import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { connectRaw } from '../testing/loopback.ts'
import { answerTo, granted, labRoute, startTestBed, type TestBed } from '../testing/test-bed.ts'

async function freePort(): Promise<number> {
  const server = createServer()
  await once(server.listen(0), 'listening')
  const { port } = server.address() as AddressInfo
  const closed = once(server, 'close')
  server.close()
  await closed
  return port
}

const identity = { 'x-forwarded-preferred-username': 'alice', 'x-forwarded-user': 'u-alice' }

async function ask(port: number, path: string) {
  const sent = http.request({
    host: '127.0.0.1',
    port,
    path,
    agent: false,
    headers: { host: `any.test:${port}`, ...identity },
  })
  sent.end()
  return await answerTo(sent)
}

const opened = (bed: TestBed, port: number) =>
  bed.logged(({ message, port: of }) => message === 'port of a route opened' && of === port)
const closed = (bed: TestBed, port: number) =>
  bed.logged(({ message, port: of }) => message === 'port of a route closed' && of === port)

describe('a port that a route names', () => {
  it('is open while the route exists, and leads to it alone', async () => {
    await using bed = await startTestBed({ config: { PUBLIC_URL: 'http://berth.test' } })
    const workspace = await bed.workspace((req, res) => res.end(`${req.headers.host} ${req.url}`))
    const echo = new WebSocketServer({ server: workspace.server })
    echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)))
    bed.spawner.seats = async ({ template }) =>
      granted(workspace.address, { workspace: `${template}-alice`, generation: template })
    const port = await freePort()
    const own = { ...labRoute, template: 'own', prefix: 'own', listenPort: port }
    await bed.introduce([labRoute, own])
    await opened(bed, port)

    assert.equal((await ask(port, '/x?y')).body, `any.test:${port} /x?y`, 'the host as it came')
    assert.equal(bed.spawner.asked.at(-1)?.template, 'own')
    assert.equal((await bed.request({})).status, 200)
    assert.equal(bed.spawner.asked.at(-1)?.template, 'lab')

    // Only the gateway of this port knows its public address, so pages must come from the requested host.
    const address = `ws://127.0.0.1:${port}/ws`
    const headers = { host: `any.test:${port}`, ...identity }
    const socket = new WebSocket(address, {
      headers: { ...headers, origin: `http://any.test:${port}` },
    })
    await once(socket, 'open')
    const foreign = new WebSocket(address, { headers: { ...headers, origin: 'http://evil.test' } })
    foreign.on('error', () => foreign.terminate())
    await once(foreign, 'unexpected-response')

    const gone = once(socket, 'close')
    await bed.introduce([labRoute])
    assert.equal((await gone)[0], 1012)
    await closed(bed, port)
    await assert.rejects(ask(port, '/'), { code: 'ECONNREFUSED' })
    assert.equal((await bed.request({})).status, 200)
  })

  it('is logged if it is in use already, tried again with the next snapshot, and affects no other port', async () => {
    const other = createServer()
    await once(other.listen(0), 'listening')
    const { port } = other.address() as AddressInfo
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('served'))
    bed.spawner.seats = async () => granted(workspace.address)
    const own = { ...labRoute, template: 'own', prefix: 'own', listenPort: port }
    await bed.introduce([labRoute, own])
    await bed.logged(({ message }) => message === 'port of a route could not be opened')
    assert.equal((await bed.request({})).body, 'served')
    const over = once(other, 'close')
    other.close()
    await over
    await bed.introduce([labRoute, own])
    await opened(bed, port)
    assert.equal((await ask(port, '/')).body, 'served')
  })

  it('is never one that the director itself uses', async () => {
    const port = await freePort()
    await using bed = await startTestBed({ config: { LISTEN_PORT: port } })
    const workspace = await bed.workspace((_req, res) => res.end('served'))
    bed.spawner.seats = async () => granted(workspace.address)
    await bed.introduce([labRoute, { ...labRoute, template: 'own', listenPort: port }])
    await bed.logged(({ listenPort }) => listenPort === port)
    assert.equal((await bed.request({})).body, 'served')
    assert.equal(bed.spawner.asked.at(-1)?.template, 'lab')
  })

  it('refuses connections from workspaces too', async () => {
    const port = await freePort()
    await using bed = await startTestBed()
    await bed.introduce([{ ...labRoute, listenPort: port }])
    await opened(bed, port)
    using raw = await connectRaw({ host: '127.5.0.1', port })
    assert.equal(await raw.end(), '')
  })
})
