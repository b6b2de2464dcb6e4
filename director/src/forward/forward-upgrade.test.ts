import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import {
  connectRaw,
  startDeafWorkspace,
  startFront,
  startRawWorkspace,
  startWorkspace,
} from '../testing/loopback.ts'
import { after, asking } from '../testing/loopback-websockets.ts'

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
        'Set-Cookie: mine=1\r\nSec-WebSocket-Accept: s3\r\nX-Request-Id: request-1\r\n\r\n',
    )
  })

  it('that the workspace refuses gets the workspace’s own answer, and neither socket is used again', async () => {
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

  it('that is refused in chunks gets the whole answer, and no end if the answer breaks off', async () => {
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

  it('without a server is not-sent and leaves the client unchanged for another seat', async () => {
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

  it('is not-sent when the connection is not accepted in time', async () => {
    await using deaf = await startDeafWorkspace()
    await using front = await startFront(deaf.address, { limits: { connectTimeoutMs: 100 } })
    using client = await connectRaw(front.address)
    client.send(asking())
    assert.match(await client.end(), /^HTTP\/1\.1 502 not-sent/)
  })

  it('that the workspace resets has failed and is not sent again', async () => {
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

  it('that is not answered times out', async () => {
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
