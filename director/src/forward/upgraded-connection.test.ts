import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { WebSocket } from 'ws'
import { createJudgedDivision } from './client-frames.ts'
import { connectRaw, startFront, startRawWorkspace } from '../testing/loopback.ts'
import {
  accepting,
  after,
  asking,
  echoServer,
  frame,
  masked,
  open,
  reads,
  startAccepting,
} from '../testing/loopback-websockets.ts'

describe('frames', () => {
  it('pass unchanged both ways, byte by byte, in fragments and with compression', async () => {
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

  it('that arrive with the handshake are not lost, on either side', async () => {
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

  it('that are no use pass without a question, also before and after one that is', async () => {
    let uses = 0
    const may = Promise.withResolvers<boolean>()
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address, {
      hooks: {
        divide: createJudgedDivision({
          longestPrefix: 1,
          isQuiet: ({ begin }) => begin[0] === 0x33,
        }),
        onUse: () => (uses += 1),
        onClientData: () => may.promise,
      },
    })
    const { client, side } = await open(front, workspace)
    const heartbeat = masked(1, '3')
    client.send(heartbeat + masked(1, 'typed') + heartbeat)
    await reads(side, heartbeat)
    assert.equal(uses, 0)
    may.resolve(true)
    await reads(side, heartbeat + masked(1, 'typed') + heartbeat)
    assert.equal(uses, 1)
    client.socket.destroy()
  })

  it('that are no use are dropped as a whole while a workspace that may be frozen takes no bytes', async () => {
    let asked = 0
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address, {
      hooks: {
        divide: createJudgedDivision({
          longestPrefix: 1,
          isQuiet: ({ begin }) => begin[0] === 0x33,
        }),
        mayBeFrozen: () => true,
        onClientData: () => void (asked += 1),
      },
    })
    const { client, side } = await open(front, workspace)
    side.socket.pause()
    const heartbeat = masked(1, '3'.repeat(100))
    const many = heartbeat.repeat(1_000)
    // More than the system keeps for a socket that nobody reads.
    for (let sent = 0; sent < 200; sent += 1) client.send(many)
    client.send(masked(1, 'typed'))
    while (asked === 0) await new Promise((resolve) => setImmediate(resolve))
    side.socket.resume()
    while (!side.received().endsWith(masked(1, 'typed'))) await once(side.socket, 'data')
    const before = side.received().slice(0, -masked(1, 'typed').length)
    assert.equal(before, heartbeat.repeat(before.length / heartbeat.length))
    assert.ok(before.length < many.length * 200, 'some were dropped')
    client.socket.destroy()
  })

  it('of data are held, with all later bytes, until they may pass', async () => {
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
    // Meanwhile the workspace's data passes, and the client's data does not.
    side.send(frame(1, 'meanwhile'))
    await client.until(/meanwhile/)
    assert.equal(side.received(), masked(9, 'p'))
    may.resolve(true)
    await reads(side, masked(9, 'p') + masked(1, 'held') + masked(9, 'q') + masked(1, 'later'))
    client.socket.destroy()
  })

  it('held back are not read from the client, within the bounds of buffers', async () => {
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

  it('are not read faster from the client than the workspace reads them', async () => {
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

  it('are not read faster from the workspace than the client reads them', async () => {
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
  it('that is closed by the director ends with the code, on both sides', async () => {
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

  it('finishes the current frame before it closes', async () => {
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

  it('is destroyed after a grace time when a peer does not close', async (t) => {
    await using workspace = await startAccepting()
    await using front = await startFront(workspace.address)
    const { side, connection } = await open(front, workspace)
    side.send(frame(1, 'x').slice(0, 2))
    t.mock.timers.enable({ apis: ['setTimeout'] })
    connection.close(1012)
    t.mock.timers.tick(2_000)
    await connection.closed
  })

  it('passes on an end of either side, and a reset of either side', async () => {
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
