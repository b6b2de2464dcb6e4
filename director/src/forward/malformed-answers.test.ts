import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { exchange, startFront, startRawWorkspace } from '../testing/loopback.ts'

const get = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'
const post = 'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'
const handshake = [
  'GET /ws HTTP/1.1',
  'Host: h',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '',
  '',
].join('\r\n')

async function writeInPieces(socket: Socket, text: string, size: number): Promise<void> {
  for (let at = 0; at < text.length && socket.writable; at += size) {
    socket.write(text.slice(at, at + size), 'latin1')
    await new Promise((next) => setImmediate(next))
  }
}

describe('a workspace that answers a request', () => {
  for (const [fault, answer, words] of [
    [
      'a null byte',
      'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n',
      /^Invalid header value char, at "\\u0000b/,
    ],
    [
      'two lengths',
      'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 2\r\n\r\nabc',
      /different lengths, 3 and 2/,
    ],
    [
      'headers that are too long',
      `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(70_000)}\r\nContent-Length: 0\r\n\r\n`,
      /^Its headers are longer/,
    ],
    [
      'another protocol',
      'SSH-2.0-OpenSSH_9.2\r\n',
      /^Expected HTTP\/.*, at "SSH-2\.0-OpenSSH_9\.2/,
    ],
  ] as const)
    it(`by an answer with ${fault} is said to be malformed, and where, to requests and handshakes alike`, async () => {
      await using workspace = await startRawWorkspace((socket) => {
        socket.once('data', () => socket.write(answer))
      })
      await using front = await startFront(workspace.address)
      for (const message of [get, post, handshake]) {
        const outcome = front.nextOutcome()
        assert.match(await exchange(front.address, message), /^HTTP\/1\.1 502 /)
        const ended = await outcome
        assert.ok(ended.kind === 'failed' && ended.code === 'answer_malformed')
        if (message !== handshake || fault !== 'two lengths')
          assert.match(ended.cause.message, words)
      }
    })

  it('by a change of the protocol that nobody asked for is said to be malformed', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () =>
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
        ),
      )
    })
    await using front = await startFront(workspace.address)
    const outcome = front.nextOutcome()
    assert.match(await exchange(front.address, get), /^HTTP\/1\.1 502 /)
    const ended = await outcome
    assert.ok(ended.kind === 'failed' && ended.code === 'answer_malformed')
    assert.match(ended.cause.message, /protocol/)
  })

  for (const [fault, head] of [
    [
      'a Continue that nobody asked for',
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-Seen: a b\r\nContent-Length: 2\r\nConnection: close\r\n\r\n',
    ],
    [
      'a Continue with headers between others',
      'HTTP/1.1 103 Hints\nA: b\n\nHTTP/1.1 100 Go\nDate: x\n\nHTTP/1.1 200 OK\nX-Seen: a b\nContent-Length: 2\n\n',
    ],
    ['line feeds alone', 'HTTP/1.1 200 OK\nX-Seen: a b\nContent-Length: 2\n\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nX-Seen: a\r\n b\r\nContent-Length: 2\r\n\r\n'],
    ['a blank before a colon', 'HTTP/1.1 200 OK\r\nX-Seen : a b\r\nContent-Length: 2\r\n\r\n'],
    [
      'the same length twice',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Seen: a b\r\nContent-Length: 2\r\n\r\n',
    ],
    [
      'the same length in one line',
      'HTTP/1.1 200 OK\r\nX-Seen: a b\r\nContent-Length: 2, 2\r\n\r\n',
    ],
    [
      'an interim answer before it',
      'HTTP/1.1 103 Hints\nA: b\n\nHTTP/1.1 200 OK\nX-Seen: a b\nContent-Length: 2\n\n',
    ],
  ] as const)
    it(`by an answer with ${fault} is repaired, in one piece or byte by byte`, async () => {
      const smuggled = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled'
      for (const size of [1_000, 1]) {
        await using workspace = await startRawWorkspace((socket) => {
          socket.once('data', () => void writeInPieces(socket, `${head}ok${smuggled}`, size))
        })
        await using front = await startFront(workspace.address)
        for (const message of [get, post, get]) {
          const answer = await exchange(front.address, message)
          assert.match(answer, /HTTP\/1\.1 200 OK\r\n(.*\r\n)*X-Seen: a b\r\n(.*\r\n)*\r\nok$/)
        }
        assert.equal(workspace.connections(), 3, 'a repaired answer ends its connection')
      }
    })

  it('hazard: by thousands of interim answers holds up nobody', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () =>
        socket.write(
          `${'HTTP/1.1 103 E\n\n'.repeat(4_000)}HTTP/1.1 200 OK\nContent-Length: 2\n\nok`,
        ),
      )
    })
    await using front = await startFront(workspace.address)
    const before = performance.eventLoopUtilization()
    assert.match(await exchange(front.address, get), /HTTP\/1\.1 502 /)
    const { active } = performance.eventLoopUtilization(before)
    assert.ok(active < 500, `${active} ms of work`)
  })

  it('by a malformed answer on a kept connection is asked again on a new one, where it is repaired', async () => {
    let answers = 0
    await using workspace = await startRawWorkspace((socket) => {
      socket.on('data', () => {
        answers += 1
        const end = answers === 1 ? '\r\n' : '\n'
        socket.write(['HTTP/1.1 200 OK', 'Content-Length: 2', '', 'ok'].join(end))
      })
    })
    await using front = await startFront(workspace.address)
    for (let round = 0; round < 2; round += 1)
      assert.match(await exchange(front.address, get), /^HTTP\/1\.1 200 [^]*ok$/)
    assert.deepEqual([answers, workspace.connections()], [3, 2])
  })
})
