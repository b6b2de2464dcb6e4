// `scheme: https`: the same requests and WebSockets, over TLS whose certificate is not verified.
import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import {
  connectRaw,
  exchange,
  startFront,
  startRawWorkspace,
  startSecureWorkspace,
} from '../testing/loopback.ts'
import { accepting, after, asking, frame, masked } from '../testing/loopback-websockets.ts'

describe('a workspace that speaks only HTTPS', () => {
  const request = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'

  it('gets a request with its body byte for byte, and its answer comes back whole', async () => {
    const seen: unknown[] = []
    await using workspace = await startSecureWorkspace((req, res) => {
      void text(req).then((body) => {
        seen.push([req.method, req.url, req.headers.host, body])
        res.writeHead(201, { 'X-Own': 'yes' }).end('made'.repeat(100_000))
      })
    })
    await using front = await startFront(workspace.address)
    const answer = await exchange(
      front.address,
      'POST /x%2Fy//?a=%20 HTTP/1.1\r\nHost: lab.test\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi',
    )
    assert.match(answer, /^HTTP\/1\.1 201 Created\r\nX-Own: yes\r\n/)
    assert.deepEqual(seen, [['POST', '/x%2Fy//?a=%20', 'lab.test', 'hi']])
    assert.partialDeepStrictEqual(front.outcomes, [{ kind: 'answered', bytesOut: 400_000 }])
  })

  it('gets one request after the other on the same connection', async () => {
    await using workspace = await startSecureWorkspace((_req, res) => res.end('ok'))
    await using front = await startFront(workspace.address)
    for (let count = 0; count < 2; count += 1)
      assert.match(await exchange(front.address, request), /\r\n\r\nok$/)
    assert.equal(workspace.connections(), 1)
  })

  it('has the head of its answer repaired as one that speaks HTTP', async () => {
    await using workspace = await startSecureWorkspace((req) => {
      req.socket.end('HTTP/1.1 200 OK\nX-Folded: a\n b\nContent-Length: 2\n\nok')
    })
    await using front = await startFront(workspace.address)
    const answer = await exchange(front.address, request)
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(answer, /X-Folded: a b\r\n[^]*\r\n\r\nok$/)
  })

  it('accepts a WebSocket, and frames pass both ways, also those that come with the handshake', async () => {
    const came = Promise.withResolvers<string>()
    const seen: unknown[] = []
    await using workspace = await startSecureWorkspace(
      (_req, res) => res.end(),
      (req, socket) => {
        seen.push([req.url, req.headers.host, req.headers.cookie])
        socket.write(accepting + frame(1, 'first'), 'latin1')
        let got = ''
        socket.on('data', (chunk: Buffer) => {
          got += chunk.toString('latin1')
          if (!got.endsWith('bye')) return
          came.resolve(got)
          socket.end(frame(1, 'last'), 'latin1')
        })
      },
    )
    const used: unknown[] = []
    await using front = await startFront(workspace.address, {
      hooks: { onUse: () => used.push('frame') },
    })
    using client = await connectRaw(front.address)
    client.send(asking('/ws?x=%2F', 'Cookie: a=1; _oauth2_proxy=secret\r\n') + masked(1, 'early'))
    await client.until(/first/)
    client.send(masked(1, 'bye'))
    assert.equal(await came.promise, masked(1, 'early') + masked(1, 'bye'))
    assert.match(await client.end(), /^HTTP\/1\.1 101 /)
    assert.equal(after(client), frame(1, 'first') + frame(1, 'last'))
    assert.deepEqual(seen, [['/ws?x=%2F', 'lab.test', 'a=1']])
    assert.ok(used.length > 0, 'a frame is use')
  })

  it('that refuses a WebSocket has its own answer passed on', async () => {
    await using workspace = await startSecureWorkspace((_req, res) => {
      res.writeHead(403, { 'Content-Length': 2 }).end('no')
    })
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    client.send(asking())
    assert.match(await client.end(), /^HTTP\/1\.1 403 Forbidden\r\n[^]*\r\n\r\nno$/)
  })

  for (const [what, message] of [
    ['a request', request],
    ['a WebSocket', asking()],
  ] as const) {
    it(`is not sent ${what} when it speaks plain HTTP instead`, async () => {
      await using plain = await startRawWorkspace((socket) => {
        socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
      })
      await using front = await startFront({ ...plain.address, scheme: 'https' })
      assert.match(await exchange(front.address, message), /^HTTP\/1\.1 50[23][^]*not-sent/)
      assert.equal(front.outcomes[0]?.kind, 'not-sent')
    })

    it(`is not sent ${what} when it does not answer the TLS handshake in time`, async () => {
      await using silent = await startRawWorkspace(() => {})
      await using front = await startFront(
        { ...silent.address, scheme: 'https' },
        { limits: { connectTimeoutMs: 100 }, answerTimeoutMs: 0 },
      )
      assert.match(await exchange(front.address, message), /^HTTP\/1\.1 50[23][^]*not-sent/)
      assert.equal(front.outcomes[0]?.kind, 'not-sent')
    })
  }
})
