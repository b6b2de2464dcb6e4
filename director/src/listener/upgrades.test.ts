import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { ownerAlias, type WorkspaceName } from '@berth/shared/names'
import { createProblem } from '@berth/shared/problems'
import { WebSocket, WebSocketServer } from 'ws'
import type { DirectorConfig } from '@berth/shared/director-settings'
import { connectRaw } from '../testing/loopback.ts'
import { nextMessage } from '../testing/next-message.ts'
import {
  granted,
  hold,
  labRoute,
  startTestBed,
  workspaceHost,
  type TestBed,
} from '../testing/test-bed.ts'

async function startEcho(
  config: Partial<DirectorConfig> = {},
  names: Record<string, readonly string[]> = {},
) {
  const bed = await startTestBed({ config, names })
  const workspace = await bed.workspace((_req, res) => res.end('plain'))
  const echo = new WebSocketServer({ server: workspace.server, perMessageDeflate: true })
  echo.on('connection', (socket, req) => {
    workspace.requests.push(`${req.method} ${req.url}`)
    socket.on('error', () => socket.terminate())
    socket.on('message', (data, binary) => socket.send(data, { binary }))
  })
  return { bed, workspace, [Symbol.asyncDispose]: () => bed[Symbol.asyncDispose]() }
}

function open(bed: TestBed, path = '/ws', more: Record<string, string> = {}): WebSocket {
  const socket = new WebSocket(`ws://127.0.0.1:${bed.director.port}${path}`, {
    headers: {
      host: 'berth.test',
      'x-forwarded-preferred-username': 'alice',
      'x-forwarded-user': 'u-alice',
      ...more,
    },
  })
  socket.on('error', () => socket.terminate())
  return socket
}

async function echoed(socket: WebSocket, text: string): Promise<string> {
  socket.send(text)
  const [data] = await nextMessage(socket)
  return data.toString()
}

async function refusedStatus(socket: WebSocket): Promise<number | undefined> {
  const [, response] = (await once(socket, 'unexpected-response')) as [
    unknown,
    { statusCode?: number },
  ]
  return response.statusCode
}

const upgradeHead = (path: string) =>
  [
    `GET ${path} HTTP/1.1`,
    'Host: berth.test',
    'X-Forwarded-Preferred-Username: alice',
    'X-Forwarded-User: u-alice',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    '',
    '',
  ].join('\r\n')

describe('a WebSocket', () => {
  it('is held until the workspace is ready, and then forwarded', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    let turns = 0
    bed.spawner.seats = async (_request, signal) => {
      turns += 1
      return turns === 1 ? hold(200, signal) : granted(workspace.address)
    }
    const socket = open(bed, '/ws?x=%2F')
    await once(socket, 'open')
    assert.equal(await echoed(socket, 'hello'), 'hello')
    assert.deepEqual(workspace.requests, ['GET /ws?x=%2F'])
    socket.close()
    const line = await bed.logged(({ upgrade }) => upgrade === true)
    assert.equal(line.status, 101)
    assert.equal(line.path, '/ws')
  })

  it('is refused in plain HTTP with the problem, as a request would be', async () => {
    await using test = await startEcho()
    test.bed.spawner.seats = async () => createProblem(undefined, 'limit_user', 'One is enough.')
    assert.equal(await refusedStatus(open(test.bed)), 429)
    using raw = await connectRaw({ host: '127.0.0.1', port: test.bed.director.port })
    raw.send(upgradeHead('/ws'))
    const answer = await raw.end()
    assert.match(answer, /^HTTP\/1\.1 429 Too Many Requests\r\n/)
    assert.match(answer, /content-type: application\/problem\+json/)
    assert.match(answer, /"code":"limit_user"/)
  })

  it('without identity never reaches a workspace (CVE-2024-28179)', async () => {
    await using test = await startEcho()
    test.bed.spawner.seats = async () => granted(test.workspace.address)
    const socket = open(test.bed, '/ws', { 'x-forwarded-preferred-username': '' })
    assert.equal(await refusedStatus(socket), 401)
    assert.deepEqual(test.workspace.requests, [])
    assert.deepEqual(test.bed.spawner.asked, [])
  })

  it('from a page of another site never reaches a workspace', async () => {
    await using test = await startEcho()
    test.bed.spawner.seats = async () => granted(test.workspace.address)
    const socket = open(test.bed, '/ws', { origin: 'http://evil.test' })
    assert.equal(await refusedStatus(socket), 403)
    assert.deepEqual(test.bed.spawner.asked, [])
  })

  it('requests another seat when its workspace cannot be connected to', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    const gone = await bed.workspace((_req, res) => res.end())
    await gone.close()
    bed.spawner.seats = async ({ unreachable }) =>
      unreachable === 'g0'
        ? granted(workspace.address, { generation: 'g1' })
        : granted(gone.address, { generation: 'g0' })
    const socket = open(bed)
    await once(socket, 'open')
    assert.equal(await echoed(socket, 'hello'), 'hello')
    socket.close()
  })

  it('ends its seat request when its client hangs up while it is held', async () => {
    await using test = await startEcho()
    const { bed } = test
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const ended = Promise.withResolvers<void>()
      bed.spawner.seats = async (_request, signal) => {
        signal.addEventListener('abort', () => ended.resolve())
        return hold(60_000, signal)
      }
      using raw = await connectRaw({ host: '127.0.0.1', port: bed.director.port })
      raw.send(upgradeHead('/ws'))
      await bed.spawner.until(() => bed.spawner.held() === 1)
      raw.socket[end]()
      await ended.promise
      await bed.spawner.until(() => bed.spawner.held() === 0)
    }
  })

  it('does not lose the data that its client sent while it was held', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    const ready = Promise.withResolvers<void>()
    bed.spawner.seats = async () => {
      await ready.promise
      return granted(workspace.address)
    }
    using raw = await connectRaw({ host: '127.0.0.1', port: bed.director.port })
    raw.send(upgradeHead('/ws'))
    await bed.spawner.until(() => bed.spawner.held() === 1)
    // A masked text frame of one letter, with a mask of zeros.
    raw.send(new Uint8Array([0x81, 0x81, 0, 0, 0, 0, 0x41]))
    setTimeout(ready.resolve, 50)
    await raw.until(/\x81\x01A/)
  })

  it('holds a data frame while its lease is gone, and continues when the same address is granted', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    bed.spawner.activity = () => []
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    const socket = open(bed)
    await once(socket, 'open')
    assert.equal(await echoed(socket, 'one'), 'one')
    // The answer to the next report ends the lease, also one that was granted for the frame before.
    const reported = bed.spawner.reports.length
    await bed.spawner.until(() => bed.spawner.reports.length > reported)
    const before = bed.spawner.asked.length
    assert.equal(await echoed(socket, 'two'), 'two')
    assert.equal(bed.spawner.asked.length, before + 1)
    assert.equal(bed.spawner.asked.at(-1)?.start, 'wake')
    socket.close()
  })

  it('is closed when its workspace has stopped: a frame that a page sends by itself starts nothing', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    bed.spawner.activity = () => []
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    const socket = open(bed)
    await once(socket, 'open')
    await bed.spawner.until(() => bed.spawner.reports.length > 0)
    bed.spawner.seats = async ({ start }) =>
      start === 'start'
        ? granted(workspace.address, { generation: 'g2' })
        : createProblem(undefined, 'workspace_stopped', 'It has stopped.')
    socket.send('an answer to an update that was overdue')
    const [code] = (await once(socket, 'close')) as [number]
    assert.equal(code, 1012)
    assert.ok(bed.spawner.asked.every(({ start }, at) => at === 0 || start === 'wake'))
  })

  it('is closed with 1012 when its lease is gone and another address is granted', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    const other = await bed.workspace((_req, res) => res.end())
    bed.spawner.activity = () => []
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    const socket = open(bed)
    await once(socket, 'open')
    await bed.spawner.until(() => bed.spawner.reports.length > 0)
    bed.spawner.seats = async () => granted(other.address, { generation: 'g2' })
    socket.send('lost')
    const [code] = (await once(socket, 'close')) as [number]
    assert.equal(code, 1012)
  })

  it('is closed with 1012 when another request has found the workspace at another address', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    const other = await bed.workspace((_req, res) => res.end('moved'))
    await bed.introduce([labRoute])
    bed.spawner.seats = async () => granted(workspace.address)
    const socket = open(bed)
    await once(socket, 'open')
    const closed = once(socket, 'close')
    bed.spawner.send({ event: 'revoke', data: { workspace: 'lab-alice', generation: 'g1' } })
    bed.spawner.seats = async () => granted(other.address, { generation: 'g2' })
    while ((await bed.request({})).body !== 'moved');
    if (socket.readyState === socket.OPEN) socket.send('lost')
    const [code] = (await closed) as [number]
    assert.equal(code, 1012)
  })

  it('continues at the address found by name when its lease and the spawner are gone', async () => {
    const names = {
      'lab-alice': [workspaceHost],
      [ownerAlias('lab-alice' as WorkspaceName, 'u-alice')]: [workspaceHost],
    }
    await using test = await startEcho({}, names)
    const { bed, workspace } = test
    await bed.introduce([{ ...labRoute, port: workspace.address.port }])
    bed.spawner.activity = () => []
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    const socket = open(bed)
    await once(socket, 'open')
    await bed.spawner.until(() => bed.spawner.reports.length > 0)
    await bed.spawner.kill()
    assert.equal(await echoed(socket, 'still here'), 'still here')
    socket.close()
  })

  it('counts as used by its data frames, not by its pings', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    bed.spawner.activity = ({ seats }) =>
      seats.map(({ workspace }) => ({ workspace, leaseMs: 1_000 }))
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    const socket = open(bed)
    await once(socket, 'open')
    await echoed(socket, 'use')
    const pings = setInterval(() => socket.ping(), 20)
    await bed.spawner.until(() => bed.spawner.reports.length >= 4)
    clearInterval(pings)
    const pinged = bed.spawner.reports.at(-1)?.seats[0]
    assert.equal(pinged?.connections, 1)
    assert.ok((pinged?.lastUseAgoMs ?? 0) > 400, `used ${pinged?.lastUseAgoMs} ms ago`)
    const usedAt = performance.now()
    await echoed(socket, 'use')
    const before = bed.spawner.reports.length
    await bed.spawner.until(() => bed.spawner.reports.length > before)
    const used = bed.spawner.reports.at(-1)?.seats[0]
    const most = Math.ceil(performance.now() - usedAt)
    assert.ok((used?.lastUseAgoMs ?? Infinity) <= most, `used ${used?.lastUseAgoMs} ms ago`)
    socket.close()
  })

  it('does not count as used by heartbeats that its template names, also when they could be compressed', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    await bed.introduce([{ ...labRoute, quietFrames: [{ path: '/ws', prefix: '33' }] }])
    bed.spawner.activity = ({ seats }) =>
      seats.map(({ workspace }) => ({ workspace, leaseMs: 1_000 }))
    bed.spawner.seats = async () => granted(workspace.address, { leaseMs: 1_000 })
    const elsewhere = open(bed, '/else')
    await once(elsewhere, 'open')
    assert.match(elsewhere.extensions, /permessage-deflate/)
    elsewhere.close()
    const socket = open(bed)
    await once(socket, 'open')
    assert.equal(socket.extensions, '')
    await echoed(socket, 'use')
    const heartbeats = setInterval(() => socket.send('3'), 20)
    await bed.spawner.until(() => bed.spawner.reports.length >= 4)
    clearInterval(heartbeats)
    const seat = bed.spawner.reports.at(-1)?.seats[0]
    assert.equal(seat?.connections, 1)
    assert.ok((seat?.lastUseAgoMs ?? 0) > 400, `used ${seat?.lastUseAgoMs} ms ago`)
    socket.close()
  })

  it('is closed as soon as its container is about to be stopped, and others stay open', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    await bed.introduce([labRoute])
    bed.spawner.seats = async ({ user }) =>
      granted(workspace.address, { generation: user.name, workspace: `lab-${user.name}` })
    const socket = open(bed)
    const other = open(bed, '/ws', {
      'x-forwarded-preferred-username': 'bob',
      'x-forwarded-user': 'u-bob',
    })
    await Promise.all([once(socket, 'open'), once(other, 'open')])
    bed.spawner.send({ event: 'revoke', data: { workspace: 'lab-alice', generation: 'alice' } })
    const [code] = (await once(socket, 'close')) as [number]
    assert.equal(code, 1012)
    assert.equal(await echoed(other, 'still here'), 'still here')
    other.close()
  })

  it('ends at its maximum age', async () => {
    await using test = await startEcho({ CONNECTION_MAX_AGE: 200 })
    test.bed.spawner.seats = async () => granted(test.workspace.address)
    const socket = open(test.bed)
    await once(socket, 'open')
    const [code] = (await once(socket, 'close')) as [number]
    assert.equal(code, 1001)
  })

  it('over the limit of one person is refused, but not that of another person', async () => {
    await using test = await startEcho({ MAX_WEBSOCKETS_PER_USER: 2 })
    const { bed, workspace } = test
    bed.spawner.seats = async () => granted(workspace.address)
    const sockets = [open(bed), open(bed)]
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    assert.equal(await refusedStatus(open(bed)), 429)
    const bob = open(bed, '/ws', { 'x-forwarded-preferred-username': 'bob' })
    await once(bob, 'open')
    sockets[0]?.close()
    await bed.logged(({ upgrade, status }) => upgrade === true && status === 101)
    await once(open(bed), 'open')
  })

  it('is served with 199 others of the same person at once, from a first request on', async () => {
    await using test = await startEcho()
    const { bed, workspace } = test
    bed.spawner.seats = async () => granted(workspace.address)
    const sockets = Array.from({ length: 200 }, () => open(bed))
    await Promise.all(sockets.map((socket) => once(socket, 'open')))
    const answers = await Promise.all(sockets.map((socket, index) => echoed(socket, `${index}`)))
    assert.deepEqual(
      answers,
      sockets.map((_, index) => `${index}`),
    )
    for (const socket of sockets) socket.close()
  })

  it("is refused on Berth's own paths", async () => {
    await using test = await startEcho()
    assert.equal(await refusedStatus(open(test.bed, '/.berth/events')), 400)
  })
})
