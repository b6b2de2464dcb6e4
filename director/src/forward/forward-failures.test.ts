import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, it } from 'node:test'
import { createConnectionPools } from './connection-pools.ts'
import { forwardRequest } from './forward-request.ts'
import type { ForwardOutcome } from './outcome.ts'
import {
  connectRaw,
  exchange,
  startDeafWorkspace,
  startFront,
  startRawWorkspace,
  startWorkspace,
} from '../testing/loopback.ts'

const get = 'GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n'
const post = 'POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello'
const kept = 'GET / HTTP/1.1\r\nHost: h\r\n\r\n'

describe('a workspace that cannot be reached', () => {
  it('is not-sent when it refuses the connection, and the body is still there for another', async () => {
    const gone = await startWorkspace(() => {})
    await gone[Symbol.asyncDispose]()
    await using front = await startFront(gone.address)
    const outcome = front.nextOutcome()
    assert.match(await exchange(front.address, post), /^HTTP\/1\.1 503 /)
    const { kind, ...counts } = await outcome
    assert.equal(kind, 'not-sent')
    assert.partialDeepStrictEqual(counts, { bytesIn: 0, bytesOut: 0 })
  })

  it('is not-sent when the connection is not accepted in time', async () => {
    await using deaf = await startDeafWorkspace()
    await using front = await startFront(deaf.address)
    const began = performance.now()
    const outcome = front.nextOutcome()
    await exchange(front.address, post)
    assert.partialDeepStrictEqual(await outcome, { kind: 'not-sent', bytesIn: 0 })
    const ms = performance.now() - began
    // The default limit for connecting is ten seconds.
    assert.ok(ms > 900 && ms < 8_000, `${ms} ms`)
  })

  it('is not-sent when its pool is destroyed while it connects', async () => {
    await using deaf = await startDeafWorkspace()
    await using front = await startFront(deaf.address)
    using client = await connectRaw(front.address)
    const outcome = front.nextOutcome()
    client.send(get)
    while (front.pools.size === 0) await new Promise((next) => setImmediate(next))
    await front.pools.destroy('one')
    assert.equal((await outcome).kind, 'not-sent')
    assert.equal(front.pools.size, 0)
  })
})

describe('a workspace that closes its connection after each answer without saying so', () => {
  /** Answers each first request of a connection and closes it when the next one is there. */
  const startClosing = (heads: string[]) =>
    startRawWorkspace((socket) => {
      socket.once('data', (chunk: Buffer) => {
        heads.push(chunk.toString('latin1').split('\r\n', 1)[0] ?? '')
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        socket.once('data', () => socket.destroy())
      })
    })

  it('is asked again once, on a new connection, for what is idempotent and has no body', async () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT']) {
      const heads: string[] = []
      await using workspace = await startClosing(heads)
      await using front = await startFront(workspace.address)
      const message = `${method} /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`
      for (let round = 0; round < 6; round += 1)
        assert.match(await exchange(front.address, message), /^HTTP\/1\.1 200 /, method)
      assert.equal(heads.length, 6, 'each was answered on a connection that had answered nothing')
    }
  })

  it('hazard: what may not be sent twice (POST, an upload) never goes over a connection that was used before', async () => {
    const put = post.replace('POST', 'PUT')
    for (const message of [post, put]) {
      const heads: string[] = []
      await using workspace = await startClosing(heads)
      await using front = await startFront(workspace.address)
      for (let round = 0; round < 3; round += 1)
        for (const each of [get, message])
          assert.match(await exchange(front.address, each), /^HTTP\/1\.1 200 /)
      const [method] = message.split(' ', 1)
      assert.equal(heads.filter((head) => head.startsWith(`${method} `)).length, 3)
    }
  })

  it('is asked again once only', async () => {
    let requests = 0
    await using workspace = await startRawWorkspace((socket) => {
      socket.on('data', () => {
        requests += 1
        if (requests === 1) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        else socket.destroy()
      })
    })
    await using front = await startFront(workspace.address)
    assert.match(await exchange(front.address, get), /^HTTP\/1\.1 200 /)
    assert.match(await exchange(front.address, get), /^HTTP\/1\.1 502 /)
    assert.equal(requests, 3)
  })
})

describe('a workspace that fails', () => {
  it('before its answer gives 502, and the request is not sent again', async () => {
    let requests = 0
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () => {
        requests += 1
        socket.resetAndDestroy()
      })
    })
    await using front = await startFront(workspace.address)
    for (const message of [get, post]) {
      const outcome = front.nextOutcome()
      assert.match(await exchange(front.address, message), /^HTTP\/1\.1 502 /)
      assert.partialDeepStrictEqual(await outcome, {
        kind: 'failed',
        code: 'workspace_unreachable',
      })
    }
    assert.equal(requests, 2)
  })

  for (const [name, head, end] of [
    ['of a known length', 'Content-Length: 10\r\n\r\nhalf', /half$/],
    ['in chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', /half\r\n$/],
  ] as const)
    it(`amid an answer ${name} leaves the client with the received bytes and no end`, async () => {
      await using workspace = await startRawWorkspace((socket) => {
        socket.once('data', () =>
          socket.write(`HTTP/1.1 200 OK\r\n${head}`, () => socket.destroy()),
        )
      })
      await using front = await startFront(workspace.address)
      const outcome = front.nextOutcome()
      const answer = await exchange(front.address, kept)
      assert.match(answer, end)
      assert.partialDeepStrictEqual(await outcome, { kind: 'cut', status: 200, bytesOut: 4 })
    })

  it('hazard: by chunks that end in line feeds alone leaves the client without an end: nothing in a body is repaired', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\nhalf\n0\n\n'),
      )
    })
    await using front = await startFront(workspace.address)
    const outcome = front.nextOutcome()
    assert.doesNotMatch(await exchange(front.address, kept), /half|0\r\n\r\n$/)
    assert.partialDeepStrictEqual(await outcome, { kind: 'cut', status: 200, bytesOut: 0 })
  })

  it('in an answer to HTTP/1.0 resets the connection: an end would look complete', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', () =>
          setImmediate(() => socket.destroy()),
        ),
      )
    })
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    const failure = once(client.socket, 'end').then(
      () => 'end',
      (error: NodeJS.ErrnoException) => error.code,
    )
    client.send('GET / HTTP/1.0\r\nHost: h\r\n\r\n')
    assert.equal(await failure, 'ECONNRESET')
  })

  for (const [hazard, answer] of [
    [
      'length and chunks at once',
      'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 2\r\n\r\nabc'],
    ['a length that is none', 'Content-Length: 3x\r\n\r\nabc'],
    ['two lengths, and line feeds alone', 'Content-Length: 3\nContent-Length: 2\n\nabc'],
    ['a null byte', 'X: a\0b\r\nContent-Length: 0\r\n\r\n'],
    ['an unsolicited upgrade', 'Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
  ] as const)
    it(`by an answer with ${hazard} is 502, and its connection is not used again`, async () => {
      await using workspace = await startRawWorkspace((socket) => {
        socket.once('data', () => {
          const status = hazard === 'an unsolicited upgrade' ? '101 Switching Protocols' : '200 OK'
          socket.write(`HTTP/1.1 ${status}\r\n${answer}`)
        })
      })
      await using front = await startFront(workspace.address)
      assert.match(await exchange(front.address, get), /^HTTP\/1\.1 502 /)
      await exchange(front.address, get)
      assert.equal(workspace.connections(), 2)
    })

  it('with an unsolicited answer affects no other request', async () => {
    const smuggled = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled'
    let served = 0
    await using workspace = await startRawWorkspace((socket) => {
      socket.on('data', () => {
        served += 1
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' + smuggled)
      })
    })
    await using front = await startFront(workspace.address)
    for (let i = 0; i < 3; i += 1)
      assert.doesNotMatch(await exchange(front.address, get), /smuggled/)
    assert.equal(served, 3)
    assert.equal(workspace.connections(), 3)
  })

  it('with a body on 204 affects no other request', async () => {
    const smuggled = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nsmuggled'
    await using workspace = await startRawWorkspace((socket) => {
      socket.on('data', () =>
        socket.write(
          `HTTP/1.1 204 No Content\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
        ),
      )
    })
    await using front = await startFront(workspace.address)
    for (let i = 0; i < 3; i += 1)
      assert.doesNotMatch(await exchange(front.address, get), /smuggled/)
  })

  it('to answer in time gives 504', async () => {
    await using workspace = await startWorkspace(() => {})
    await using front = await startFront(workspace.address, { answerTimeoutMs: 50 })
    const outcome = front.nextOutcome()
    assert.match(await exchange(front.address, post), /^HTTP\/1\.1 504 /)
    assert.partialDeepStrictEqual(await outcome, { kind: 'failed', code: 'workspace_timeout' })
  })

  it('to answer does not time out while the upload makes progress', async () => {
    await using workspace = await startWorkspace((req, res) => {
      req.resume().on('end', () => res.end('taken'))
    })
    await using front = await startFront(workspace.address, { answerTimeoutMs: 600 })
    using client = await connectRaw(front.address)
    client.send('POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 20\r\n\r\n')
    for (let i = 0; i < 20; i += 1) {
      client.send('x')
      const { promise, resolve } = Promise.withResolvers<void>()
      setTimeout(resolve, 60)
      await promise
    }
    assert.match(await client.end(), /taken$/)
  })
})

describe('an idle connection', () => {
  it('is used again, and one that the workspace has closed fails no request', async () => {
    const sockets: Socket[] = []
    await using workspace = await startWorkspace((req, res) => {
      sockets.push(req.socket)
      res.end('ok')
    })
    await using front = await startFront(workspace.address)
    for (let i = 0; i < 5; i += 1) assert.match(await exchange(front.address, get), /ok$/)
    assert.equal(workspace.connections(), 1)

    // The workspace closes it immediately before each next use.
    for (let i = 0; i < 50; i += 1) {
      using client = await connectRaw(front.address)
      sockets.at(-1)?.destroy()
      client.send(get)
      assert.match(await client.end(), /ok$/)
    }
  })

  it('ends with the pool of its generation', async () => {
    const closed = Promise.withResolvers<void>()
    await using workspace = await startWorkspace((req, res) => {
      req.socket.on('close', () => closed.resolve())
      res.end('ok')
    })
    await using front = await startFront(workspace.address)
    await exchange(front.address, get)
    await front.pools.destroy('one')
    await closed.promise
  })
})

describe('a client that goes away', () => {
  it('before the answer closes the connection to the workspace', async () => {
    const requested = Promise.withResolvers<void>()
    const closed = Promise.withResolvers<void>()
    await using workspace = await startWorkspace((req) => {
      req.socket.on('close', () => closed.resolve())
      requested.resolve()
    })
    await using front = await startFront(workspace.address)
    const outcome = front.nextOutcome()
    const client = await connectRaw(front.address)
    client.send(get)
    await requested.promise
    client.socket.resetAndDestroy()
    await closed.promise
    assert.deepEqual(await outcome, { kind: 'client-gone', bytesIn: 0, bytesOut: 0 })
  })

  it('before it is forwarded reaches no workspace', async () => {
    await using workspace = await startWorkspace((_req, res) => void res.end())
    await using pools = createConnectionPools()
    const dispatcher = pools.get({ generation: 'one', address: workspace.address })
    const outcome = Promise.withResolvers<ForwardOutcome>()
    await using front = await startWorkspace((req, res) => {
      res.on('close', () => {
        const options = { req, res, dispatcher, target: '/', headers: [], hooks: {} }
        const rest = {
          requestId: 'request-1',
          answerTimeoutMs: 0,
          expectContinue: false,
          toClient: () => [],
        }
        void forwardRequest({ ...options, ...rest }).then(outcome.resolve)
      })
      req.socket.destroy()
    })
    await exchange(front.address, get)
    assert.equal((await outcome.promise).kind, 'client-gone')
    assert.equal(workspace.connections(), 0)
  })

  it('during its upload ends it for the workspace, without the end of the body', async () => {
    const aborted = Promise.withResolvers<boolean>()
    const begun = Promise.withResolvers<void>()
    await using workspace = await startWorkspace((req) => {
      req.on('data', () => begun.resolve())
      req.on('error', () => undefined)
      req.on('close', () => aborted.resolve(!req.complete))
    })
    await using front = await startFront(workspace.address)
    const outcome = front.nextOutcome()
    const client = await connectRaw(front.address)
    client.send('POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n')
    await begun.promise
    client.socket.destroy()
    assert.equal(await aborted.promise, true)
    assert.equal((await outcome).kind, 'client-gone')
  })

  it('during the answer ends it for the workspace', async () => {
    const closed = Promise.withResolvers<void>()
    await using workspace = await startWorkspace((_req, res) => {
      res.on('close', () => closed.resolve())
      const more = () => {
        while (res.write(Buffer.alloc(65_536)));
      }
      res.on('drain', more)
      more()
    })
    await using front = await startFront(workspace.address)
    const outcome = front.nextOutcome()
    const client = await connectRaw(front.address)
    client.send(get)
    await client.until(/200 OK/)
    client.socket.destroy()
    await closed.promise
    assert.partialDeepStrictEqual(await outcome, { kind: 'client-gone', status: 200 })
  })
})

describe('a request that two servers could read differently', () => {
  let reached = 0
  for (const [hazard, message] of [
    [
      'length and chunks at once',
      'Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde'],
    ['two equal lengths', 'Content-Length: 4\r\nContent-Length: 4\r\n\r\nabcd'],
    ['a list of lengths', 'Content-Length: 4, 4\r\n\r\nabcd'],
    ['a signed length', 'Content-Length: +4\r\n\r\nabcd'],
    ['chunks that are not last', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['chunks twice', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['misspelt chunks', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['a blank before the colon', 'Content-Length : 4\r\n\r\nabcd'],
    ['a folded header', 'X: a\r\n Content-Length: 4\r\n\r\nabcd'],
    ['a bare line feed', 'X: a\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a bare carriage return', 'X: a\rContent-Length: 4\r\n\r\nabcd'],
    ['a null byte', 'X: a\0b\r\n\r\n'],
    ['a chunk size over the bound', 'Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx'],
    ['a signed chunk size', 'Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n'],
  ] as const)
    it(`by ${hazard} reaches no workspace as two`, async () => {
      await using workspace = await startWorkspace((req, res) => {
        reached += 1
        req.resume().on('end', () => res.end())
        req.on('error', () => undefined)
      })
      await using front = await startFront(workspace.address)
      reached = 0
      const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n'
      const answer = await exchange(
        front.address,
        `POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${message}${smuggled}`,
      )
      assert.match(answer, /^HTTP\/1\.1 400 /)
      assert.equal(reached, 0)
    })
})
