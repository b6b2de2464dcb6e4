import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, it } from 'node:test'
import { Secret } from '@berth/shared/secret'
import { createProblem } from '@berth/shared/problems'
import { WebSocket, WebSocketServer } from 'ws'
import { granted, labRoute, startTestBed, type TestBedOptions } from '../testing/test-bed.ts'

const secret = 'sixteen characters of it'
const gateway = { 'berth-gateway-secret': secret, 'x-request-id': 'edge-1' }

async function start(config: TestBedOptions['config'] = { GATEWAY_SECRET: new Secret(secret) }) {
  await using stack = new AsyncDisposableStack()
  const bed = stack.use(await startTestBed({ config }))
  const seen: (string | string[] | undefined)[] = []
  const workspace = await bed.workspace((req, res) => {
    seen.push(req.headers['x-request-id'])
    res.writeHead(200, { 'X-Request-Id': 'of the application', Trailer: 'X-Request-Id' })
    res.addTrailers({ 'X-Request-Id': 'of the application' })
    res.end('hello')
  })
  const sockets = new WebSocketServer({ server: workspace.server })
  sockets.on('connection', (socket, req) => {
    seen.push(req.headers['x-request-id'])
    socket.close()
  })
  bed.spawner.seats = async () => granted(workspace.address)
  await bed.introduce([labRoute])
  const lineOf = (requestId: unknown) => bed.logged((line) => line['requestId'] === requestId)
  const built = stack.move()
  return { bed, seen, lineOf, [Symbol.asyncDispose]: () => built.disposeAsync() }
}

describe('the id of a request', () => {
  it('is the gateway’s: for the spawner, the workspace, the answer and the log', async () => {
    await using test = await start()
    const { status, headers } = await test.bed.request({ headers: gateway })
    assert.deepEqual([status, headers['x-request-id']], [200, 'edge-1'])
    assert.deepEqual(test.seen, ['edge-1'])
    assert.deepEqual(test.bed.spawner.requestIds, ['edge-1'])
    assert.equal((await test.lineOf('edge-1'))['message'], 'request ended')
  })

  it('is made here without one, and where nothing proves the gateway', async () => {
    await using test = await start({})
    const { headers } = await test.bed.request({ headers: { 'x-request-id': 'of the client' } })
    const id = headers['x-request-id']
    assert.match(String(id), /^[0-9a-f-]{36}$/)
    assert.deepEqual(test.seen, [id])
    assert.deepEqual(test.bed.spawner.requestIds, [id])
    assert.equal((await test.lineOf(id))['message'], 'request ended')
  })

  it('is the same for a WebSocket', async () => {
    await using test = await start()
    const socket = new WebSocket(`ws://127.0.0.1:${test.bed.director.port}/ws`, {
      headers: {
        ...gateway,
        host: 'berth.test',
        'x-forwarded-preferred-username': 'alice',
        'x-forwarded-user': 'u-alice',
      },
    })
    const [answer] = (await once(socket, 'upgrade')) as [IncomingMessage]
    assert.equal(answer.headers['x-request-id'], 'edge-1')
    await once(socket, 'close')
    assert.deepEqual(test.seen, ['edge-1'])
    assert.equal((await test.lineOf('edge-1'))['upgrade'], true)
  })

  it('is on what the director answers itself, also if it refuses the request or its upgrade', async () => {
    await using test = await start()
    const refused = await test.bed.request({ headers: { ...gateway, 'x-forwarded-user': '' } })
    assert.deepEqual([refused.status, refused.headers['x-request-id']], [401, 'edge-1'])
    const out = await test.bed.request({ path: '/.berth/sign-out', headers: gateway })
    assert.deepEqual([out.status, out.headers['x-request-id']], [200, 'edge-1'])
    const socket = new WebSocket(`ws://127.0.0.1:${test.bed.director.port}/ws`, {
      headers: { ...gateway, host: 'berth.test' },
    })
    socket.on('error', () => socket.terminate())
    const [, answer] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
    assert.deepEqual([answer.statusCode, answer.headers['x-request-id']], [401, 'edge-1'])
  })

  it('goes with what passes through to the spawner, and is on its answer once', async () => {
    await using test = await start()
    test.bed.spawner.pass = (_req, res) => void res.setHeader('X-Request-Id', 'edge-1').end('{}')
    const { headers } = await test.bed.request({ path: '/.berth/status', headers: gateway })
    assert.equal(headers['x-request-id'], 'edge-1')
    assert.equal(test.bed.spawner.passed[0]?.headers['x-request-id'], 'edge-1')
  })

  it('is in the lines about a seat that could not be requested or used', async () => {
    await using test = await start()
    test.bed.spawner.seats = async () => granted({ host: '192.0.2.1', port: 1 })
    await test.bed.request({ headers: gateway })
    const line = await test.bed.logged(({ message }) =>
      /outside NETWORK_POOL/.test(String(message)),
    )
    assert.equal(line['requestId'], 'edge-1')
  })

  it('is in the line of a refusal by the spawner', async () => {
    await using test = await start()
    test.bed.spawner.seats = async () => createProblem(undefined, 'queue_full', 'Full.')
    await test.bed.request({ headers: gateway })
    assert.equal((await test.lineOf('edge-1'))['code'], 'queue_full')
  })
})
