import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import type { Address } from '@berth/shared/contract'
import {
  connectRaw,
  startDeafWorkspace,
  startFront,
  startRawWorkspace,
  startWorkspace,
  type Front,
  type RawClient,
  type Workspace,
} from './loopback.ts'
import type { UpgradedConnection } from './upgraded-connection.ts'

const asking = (target = '/', more = '') =>
  `GET ${target} HTTP/1.1\r\nHost: lab.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`
const accepting =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
const frame = (opcode: number, payload: string) =>
  String.fromCharCode(0x80 | opcode, payload.length) + payload
const masked = (opcode: number, payload: string) =>
  String.fromCharCode(0x80 | opcode, 0x80 | payload.length) + '\0\0\0\0' + payload

/** A workspace that accepts every handshake and then speaks in raw bytes. */
async function startAccepting(): Promise<Workspace & { accepted(): Promise<RawSide> }> {
  const sides: RawSide[] = []
  const waiting: ((side: RawSide) => void)[] = []
  const workspace = await startRawWorkspace((socket) => {
    let text = ''
    const send = (bytes: string) => void socket.write(bytes, 'latin1')
    const side: RawSide = { socket, send, received: () => text }
    socket.once('data', () => {
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      socket.write(accepting)
      const next = waiting.shift()
      if (next === undefined) sides.push(side)
      else next(side)
    })
  })
  return Object.assign(workspace, {
    accepted: () => {
      const side = sides.shift()
      if (side !== undefined) return Promise.resolve(side)
      return new Promise<RawSide>((resolve) => waiting.push(resolve))
    },
  })
}

interface RawSide {
  readonly socket: Socket
  send(bytes: string): void
  received(): string
}

async function open(
  front: Front,
  workspace: Awaited<ReturnType<typeof startAccepting>>,
): Promise<{ client: RawClient; side: RawSide; connection: UpgradedConnection }> {
  const client = await connectRaw(front.address)
  const outcome = front.nextOutcome()
  client.send(asking())
  const side = await workspace.accepted()
  await client.until(/\r\n\r\n/)
  const opened = await outcome
  assert.ok(opened.kind === 'open')
  return { client, side, connection: opened.connection }
}

const after = (client: RawClient) => client.received().split('\r\n\r\n').slice(1).join('\r\n\r\n')

async function reads(side: RawSide, wanted: string): Promise<void> {
  while (side.received() !== wanted) {
    assert.ok(wanted.startsWith(side.received()), `got ${JSON.stringify(side.received())}`)
    await once(side.socket, 'data')
  }
}

describe('a handshake', () => {
  it('reaches the workspace scrubbed, with its path byte for byte, and its answer comes back scrubbed', async () => {
    const seen = Promise.withResolvers<string>()
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', (chunk: Buffer) => {
        seen.resolve(chunk.toString('latin1'))
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nX-b: \xe9\r\nUpgrade: websocket\r\nConnection: Upgrade, X-Hop\r\n' +
            'X-Hop: 1\r\nSet-Cookie: _oauth2_proxy=x\r\nSet-Cookie: mine=1\r\nSec-WebSocket-Accept: s3\r\n\r\n',
          'latin1',
        )
      })
    })
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    client.send(
      asking(
        '/x%2Fy//z/../w?a=//b?',
        'Cookie: a=1; _oauth2_proxy=secret\r\nX-Forwarded-User: eve\r\nBerth-User: eve\r\nX-tWo: 1\r\nx-two: 2\r\n',
      ),
    )
    const answer = (await client.until(/^.*?\r\n\r\n/s))[0]
    const request = await seen.promise
    assert.match(request, /^GET \/x%2Fy\/\/z\/\.\.\/w\?a=\/\/b\? HTTP\/1\.1\r\n/)
    assert.match(request, /\r\nCookie: a=1\r\n/)
    assert.match(request, /\r\nX-tWo: 1\r\nX-tWo: 2\r\n/)
    assert.match(request, /\r\nconnection: Upgrade\r\nupgrade: websocket\r\n/)
    assert.match(request, /\r\nHost: lab\.test\r\n/)
    assert.doesNotMatch(request, /secret|eve|keep-alive/i)
    assert.equal(
      answer,
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-b: \xe9\r\n' +
        'Set-Cookie: mine=1\r\nSec-WebSocket-Accept: s3\r\n\r\n',
    )
  })

  it('that is refused is answered by the workspace itself, and neither socket is used again', async () => {
    const closed = Promise.withResolvers<void>()
    const body = 'no'.repeat(200_000)
    await using workspace = await startWorkspace((req, res) => {
      req.socket.on('close', () => closed.resolve())
      res.writeHead(403, { 'Content-Length': body.length, 'X-Why': 'because' })
      res.end(body)
    })
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    const outcome = front.nextOutcome()
    client.send(asking() + asking('/smuggled'))
    const all = await client.end()
    assert.match(all, /^HTTP\/1\.1 403 Forbidden\r\n/)
    assert.match(all, /X-Why: because\r\n/)
    assert.match(all, /Connection: close\r\n/)
    assert.equal(after(client), body)
    assert.deepEqual(await outcome, {
      kind: 'answered',
      status: 403,
      bytesIn: 0,
      bytesOut: body.length,
    })
    await closed.promise
    assert.equal(workspace.connections(), 1)
  })

  it('that is refused in chunks comes whole, and broken off it has no end', async () => {
    await using workspace = await startWorkspace((req, res) => {
      res.writeHead(401).write('half')
      if (req.url === '/whole') res.end('whole')
      else setImmediate(() => res.destroy())
    })
    await using front = await startFront(workspace.address)
    using whole = await connectRaw(front.address)
    whole.send(asking('/whole'))
    assert.match(await whole.end(), /401 Unauthorized.*half.*whole\r\n0\r\n\r\n$/s)
    using cut = await connectRaw(front.address)
    const outcome = front.nextOutcome()
    cut.send(asking('/cut'))
    assert.doesNotMatch(await cut.end(), /\r\n0\r\n\r\n$/)
    assert.partialDeepStrictEqual(await outcome, { kind: 'cut', status: 401 })
  })

  it('to nobody is not-sent and leaves the client untouched for another seat', async () => {
    const gone = await startWorkspace(() => {})
    await gone[Symbol.asyncDispose]()
    for (const address of [gone.address]) {
      await using front = await startFront(address)
      using client = await connectRaw(front.address)
      const outcome = front.nextOutcome()
      client.send(asking())
      assert.equal((await outcome).kind, 'not-sent')
      assert.match(await client.end(), /^HTTP\/1\.1 502 not-sent/)
    }
  })

  it('to one who does not accept within the time to connect is not-sent', async () => {
    await using deaf = await startDeafWorkspace()
    await using front = await startFront(deaf.address, { limits: { connectTimeoutMs: 100 } })
    using client = await connectRaw(front.address)
    client.send(asking())
    assert.match(await client.end(), /^HTTP\/1\.1 502 not-sent/)
  })

  it('that the workspace resets has failed and is not repeated', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () => socket.resetAndDestroy())
    })
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    const outcome = front.nextOutcome()
    client.send(asking())
    assert.match(await client.end(), /^HTTP\/1\.1 502 failed/)
    assert.partialDeepStrictEqual(await outcome, { kind: 'failed', code: 'workspace_unreachable' })
    assert.equal(workspace.connections(), 1)
  })

  it('that stays unanswered has timed out', async () => {
    await using workspace = await startRawWorkspace(() => {})
    await using front = await startFront(workspace.address, { answerTimeoutMs: 50 })
    using client = await connectRaw(front.address)
    const outcome = front.nextOutcome()
    client.send(asking())
    await client.end()
    assert.partialDeepStrictEqual(await outcome, { kind: 'failed', code: 'workspace_timeout' })
  })

  for (const [what, message] of [
    ['by another method than GET', asking().replace('GET', 'POST')],
    ['to another protocol', asking().replace('Upgrade: websocket', 'Upgrade: h2c')],
  ] as const)
    it(`${what} is refused, and does not hang`, async () => {
      await using workspace = await startRawWorkspace(() => {})
      await using front = await startFront(workspace.address)
      using client = await connectRaw(front.address)
      const outcome = front.nextOutcome()
      client.send(message)
      assert.partialDeepStrictEqual(await outcome, { kind: 'failed', code: 'bad_request' })
      assert.equal(workspace.connections(), 0)
    })

  it('whose client goes away ends for the workspace too', async () => {
    const closed = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () => asked.resolve())
      socket.on('close', () => closed.resolve())
    })
    await using front = await startFront(workspace.address)
    const client = await connectRaw(front.address)
    const outcome = front.nextOutcome()
    client.send(asking())
    await asked.promise
    client.socket.resetAndDestroy()
    await closed.promise
    assert.deepEqual(await outcome, { kind: 'client-gone' })
  })
})

describe('frames', () => {
  it('pass unchanged both ways, in bytes, fragments and with compression', async () => {
    const server = await echoServer()
    await using front = await startFront(server.address)
    const client = new WebSocket(`ws://127.0.0.1:${front.address.port}/`, {
      perMessageDeflate: { threshold: 0 },
    })
    await once(client, 'open')
    assert.match(client.extensions, /permessage-deflate/)
    const messages = Array.from({ length: 1000 }, (_, i) => `${i} ${'x'.repeat(i * 3)}`)
    const received: string[] = []
    const all = new Promise<void>((resolve) => {
      client.on('message', (data: Buffer) => {
        received.push(data.toString())
        if (received.length === messages.length) resolve()
      })
    })
    for (const message of messages) client.send(message)
    await all
    assert.deepEqual(received, messages)
    client.close(4001, 'done')
    const [code] = (await once(client, 'close')) as [number]
    assert.equal(code, 4001)
    server.close()
  })

  it('that came with the handshake are not lost, on either side', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () => socket.write(accepting + frame(1, 'early'), 'latin1'))
      socket.on('data', (chunk: Buffer) => {
        if (chunk.includes('first')) socket.end(frame(1, 'got it'), 'latin1')
      })
    })
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    client.send(asking() + masked(1, 'first'))
    await client.until(/early.*got it/s)
  })

  it('of data count as use, pings, pongs and closes do not', async () => {
    let uses = 0
    let asked = 0
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address, {
      hooks: { onUse: () => (uses += 1), onClientData: () => void (asked += 1) },
    })
    const { client, side } = await open(front, workspace)
    const control = masked(9, '') + masked(10, 'x')
    client.send(control)
    await reads(side, control)
    side.send(frame(9, 'ping') + frame(1, 'only the server speaks'))
    await client.until(/speaks/)
    assert.deepEqual([uses, asked], [0, 0])
    client.send(masked(1, 'a'))
    await reads(side, control + masked(1, 'a'))
    assert.deepEqual([uses, asked], [1, 1])
    // The rest of a frame that is cut in two is use as well.
    const whole = masked(2, 'cut in two')
    client.send(whole.slice(0, 1))
    await reads(side, control + masked(1, 'a') + whole.slice(0, 1))
    client.send(whole.slice(1))
    await reads(side, control + masked(1, 'a') + whole)
    assert.equal(uses, 3)
    client.socket.destroy()
  })

  it('of data are held, with all that follows, until they may pass', async () => {
    const asked = Promise.withResolvers<void>()
    const may = Promise.withResolvers<boolean>()
    let first = true
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address, {
      hooks: {
        onClientData: () => {
          if (!first) return undefined
          first = false
          asked.resolve()
          return may.promise
        },
      },
    })
    const { client, side } = await open(front, workspace)
    client.send(masked(9, 'p'))
    await reads(side, masked(9, 'p'))
    client.send(masked(1, 'held'))
    await asked.promise
    client.send(masked(9, 'q') + masked(1, 'later'))
    // What the workspace says meanwhile passes; nothing of the client's does.
    side.send(frame(1, 'meanwhile'))
    await client.until(/meanwhile/)
    assert.equal(side.received(), masked(9, 'p'))
    may.resolve(true)
    await reads(side, masked(9, 'p') + masked(1, 'held') + masked(9, 'q') + masked(1, 'later'))
    client.socket.destroy()
  })

  it('held back by the client stay with it, within the bounds of buffers', async () => {
    const asked = Promise.withResolvers<void>()
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address, {
      hooks: {
        onClientData: () => {
          asked.resolve()
          return new Promise<boolean>(() => undefined)
        },
      },
    })
    const { client } = await open(front, workspace)
    client.send(masked(1, 'x'))
    await asked.promise
    const size = 50 * 1024 * 1024
    client.send(Buffer.alloc(size))
    for (let turns = 0; turns < 2_000; turns += 1) await new Promise((next) => setImmediate(next))
    assert.ok(client.socket.writableLength > size / 2)
    client.socket.destroy()
  })

  for (const [how, answer] of [
    ['may not pass', () => Promise.resolve(false)],
    ['cannot be asked for', () => Promise.reject(new Error('no seat'))],
  ] as const)
    it(`of data that ${how} end the connection with 1012`, async () => {
      await using workspace = await startAccepting()
      await using front = await startFront(workspace.address, { hooks: { onClientData: answer } })
      const { client, side, connection } = await open(front, workspace)
      client.send(masked(1, 'x'))
      await client.end()
      assert.equal(after(client), '\x88\x02\x03\xf4')
      assert.equal(side.received(), '')
      client.socket.destroy()
      assert.equal((await connection.closed).bytesIn, 0)
    })

  it('are not taken faster from the client than the workspace reads them', async () => {
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address)
    const { client, side, connection } = await open(front, workspace)
    side.socket.pause()
    const size = 50 * 1024 * 1024
    client.send(Buffer.alloc(size))
    for (let turns = 0; turns < 2_000; turns += 1) await new Promise((next) => setImmediate(next))
    assert.ok(client.socket.writableLength > size / 2, `${client.socket.writableLength} left`)
    client.socket.end()
    side.socket.resume()
    assert.equal((await connection.closed).bytesIn, size)
  })

  it('are not taken faster from the workspace than the client reads them', async () => {
    await using workspace = await startAccepting()
    let drained = 0
    await using front = await startFront(workspace.address, {
      hooks: { onDrained: (bytes) => (drained += bytes) },
    })
    const { client, side, connection } = await open(front, workspace)
    client.socket.pause()
    const size = 50 * 1024 * 1024
    side.socket.end(Buffer.alloc(size))
    for (let turns = 0; turns < 2_000; turns += 1) await new Promise((next) => setImmediate(next))
    assert.ok(side.socket.writableLength > size / 2, `${side.socket.writableLength} left`)
    client.socket.resume()
    await client.end()
    client.socket.destroy()
    assert.equal((await connection.closed).bytesOut, size)
    assert.equal(drained, size)
  })
})

describe('an open WebSocket', () => {
  it('that is told to close ends with the code, on both sides', async () => {
    const server = await echoServer()
    await using front = await startFront(server.address)
    const client = new WebSocket(`ws://127.0.0.1:${front.address.port}/`)
    const outcome = front.nextOutcome()
    await once(client, 'open')
    const opened = await outcome
    assert.ok(opened.kind === 'open')
    const atServer = server.nextClose()
    opened.connection.close(1012, 'restarting')
    opened.connection.close(1001)
    const [code, reason] = (await once(client, 'close')) as [number, Buffer]
    assert.deepEqual([code, reason.toString()], [1012, 'restarting'])
    assert.equal(await atServer, 1012)
    await opened.connection.closed
    server.close()
  })

  it('finishes the frame under way before it closes', async () => {
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address)
    const { client, side, connection } = await open(front, workspace)
    const whole = frame(1, 'a message in two')
    side.send(whole.slice(0, 7))
    await client.until(/a mes/)
    connection.close(1001)
    side.send(whole.slice(7) + frame(1, 'never told'))
    await client.end()
    assert.equal(after(client), whole + '\x88\x02\x03\xe9')
    client.socket.destroy()
    await connection.closed
  })

  it('sends no second close after the workspace has sent one', async () => {
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address)
    const { client, side, connection } = await open(front, workspace)
    side.send(frame(8, '\x03\xe8'))
    await client.until(/\x88\x02\x03\xe8/)
    connection.close(1012)
    await client.end()
    assert.equal(after(client), '\x88\x02\x03\xe8')
    client.socket.destroy()
  })

  it('is destroyed after a grace when a peer does not close', async (t) => {
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address)
    const { side, connection } = await open(front, workspace)
    side.send(frame(1, 'x').slice(0, 2))
    t.mock.timers.enable({ apis: ['setTimeout'] })
    connection.close(1012)
    t.mock.timers.tick(2_000)
    await connection.closed
  })

  it('hands on an end of either side, and a reset of either', async () => {
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address)
    for (const [who, how] of [
      ['client', 'end'],
      ['client', 'resetAndDestroy'],
      ['workspace', 'end'],
      ['workspace', 'resetAndDestroy'],
    ] as const) {
      const { client, side, connection } = await open(front, workspace)
      const [from, to] =
        who === 'client' ? [client.socket, side.socket] : [side.socket, client.socket]
      const ended = once(to, 'end')
      from[how]()
      await ended
      to.end()
      await connection.closed
    }
  })
})

async function echoServer(): Promise<{
  address: Address
  nextClose(): Promise<number>
  close(): void
}> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: { threshold: 0 },
  })
  await once(server, 'listening')
  const closes: ((code: number) => void)[] = []
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer, binary) => socket.send(data, { binary }))
    socket.on('close', (code) => closes.shift()?.(code))
  })
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    address: { host: '127.0.0.1', port: address.port },
    nextClose: () => new Promise((resolve) => closes.push(resolve)),
    close: () => server.close(),
  }
}
