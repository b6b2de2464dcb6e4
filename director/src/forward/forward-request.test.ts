import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, it } from 'node:test'
import {
  connectRaw,
  exchange,
  startFront,
  startRawWorkspace,
  startWorkspace,
} from '../testing/loopback.ts'

const get = (target: string, more = '') =>
  `GET ${target} HTTP/1.1\r\nHost: lab.test\r\n${more}Connection: close\r\n\r\n`

describe('a request and its answer', () => {
  it('carries path and query byte for byte', async () => {
    const seen: (string | undefined)[] = []
    await using workspace = await startWorkspace((req, res) => {
      seen.push(req.url)
      res.end()
    })
    await using front = await startFront(workspace.address)
    const targets = ['/x%2Fy//z/../w?a=%20&b=//c?', '/%', '/a?', '/a;b=c|d', '/.berth']
    for (const target of targets) await exchange(front.address, get(target))
    assert.deepEqual(seen, targets)
  })

  it('keeps order, case and repetition of headers in both directions', async () => {
    let seen: string[] = []
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', (chunk: Buffer) => {
        seen = chunk.toString('latin1').split('\r\n')
        socket.end(
          'HTTP/1.1 200 All Fine\r\nX-b: 1\r\nx-A: \xe9\r\nX-B: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n' +
            'content-LENGTH: 2\r\nX-Request-Id: request-1\r\nConnection: X-Secret\r\nX-Secret: 1\r\n\r\nok',
          'latin1',
        )
      })
    })
    await using front = await startFront(workspace.address)
    const answer = await exchange(
      front.address,
      get('/', 'X-one: 1\r\nx-TWO: \xe9\r\nX-One: 3\r\n'),
    )
    assert.deepEqual(seen.slice(0, 6), [
      'GET / HTTP/1.1',
      'host: lab.test',
      'connection: keep-alive',
      'X-one: 1',
      'x-TWO: \xe9',
      'X-One: 3',
    ])
    assert.match(
      answer,
      /^HTTP\/1\.1 200 All Fine\r\nX-b: 1\r\nx-A: \xe9\r\nX-B: 2\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\ncontent-LENGTH: 2\r\nX-Request-Id: request-1\r\nConnection: close\r\n\r\nok$/,
    )
  })

  it('answers HEAD with the length of the answer to GET', async () => {
    await using workspace = await startWorkspace((_req, res) => {
      res.writeHead(200, { 'Content-Length': 5 }).end('hello')
    })
    await using front = await startFront(workspace.address)
    const answer = await exchange(front.address, get('/').replace('GET', 'HEAD'))
    assert.match(answer, /Content-Length: 5\r\n/)
    assert.match(answer, /\r\n\r\n$/)
    assert.doesNotMatch(answer, /Transfer-Encoding/i)
  })

  for (const status of [204, 304])
    it(`passes ${status} on without a body, and the next answer on that connection is its own`, async () => {
      await using workspace = await startWorkspace((req, res) => {
        if (req.url === '/next') res.end('next')
        else res.writeHead(status, { ETag: '"x"' }).end()
      })
      await using front = await startFront(workspace.address)
      using client = await connectRaw(front.address)
      client.send('GET / HTTP/1.1\r\nHost: h\r\n\r\n')
      await client.until(/\r\n\r\n/)
      client.send(get('/next'))
      const all = await client.end()
      assert.match(all, new RegExp(`^HTTP/1.1 ${status} .*\r\nETag: "x"\r\n`))
      assert.match(all, /200 OK\r\n.*\r\n\r\nnext$/s)
    })

  it('passes ranges on', async () => {
    await using workspace = await startWorkspace((req, res) => {
      res.writeHead(206, { 'Content-Range': 'bytes 1-2/4', 'Content-Length': 2 })
      res.end(req.headers.range === 'bytes=1-2' ? 'bc' : 'no')
    })
    await using front = await startFront(workspace.address)
    const answer = await exchange(front.address, get('/', 'Range: bytes=1-2\r\n'))
    assert.match(answer, /^HTTP\/1\.1 206 .*Content-Range: bytes 1-2\/4.*\r\n\r\nbc$/s)
  })

  it('passes on the trailers of a chunked answer, without forbidden ones', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () =>
        socket.end(
          'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n' +
            'X-Sum: 9\r\nSet-Cookie: _oauth2_proxy=x\r\n\r\n',
        ),
      )
    })
    await using front = await startFront(workspace.address)
    const answer = await exchange(front.address, get('/'))
    assert.match(answer, /Trailer: X-Sum\r\n/)
    assert.match(answer, /\r\n2\r\nok\r\n0\r\nX-Sum: 9\r\n\r\n$/)
  })

  it('survives an announcement of trailers where none can follow', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok'),
      )
    })
    await using front = await startFront(workspace.address)
    assert.match(await exchange(front.address, get('/')), /^HTTP\/1\.1 200 OK\r\n.*ok$/s)
  })

  it('passes interim answers on, and drops a flood of them', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () => {
        for (let i = 0; i < 100; i += 1)
          socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n')
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    })
    await using front = await startFront(workspace.address)
    const answer = await exchange(front.address, get('/'))
    assert.equal(
      answer.match(/HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload\r\n\r\n/g)?.length,
      32,
    )
    assert.match(answer, /HTTP\/1\.1 200 OK\r\n.*ok$/s)
  })

  it('sends the head of an event stream before its first event', async () => {
    const answering = Promise.withResolvers<ServerResponse>()
    await using workspace = await startWorkspace((_req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' }).flushHeaders()
      answering.resolve(res)
    })
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    client.send(get('/'))
    await client.until(/text\/event-stream\r\n.*\r\n\r\n/s)
    const res = await answering.promise
    res.write('data: 1\n\n')
    await client.until(/data: 1/)
    res.end()
    await client.end()
  })

  it('answers an HTTP/1.0 client without chunks and without interim answers', async () => {
    await using workspace = await startRawWorkspace((socket) => {
      socket.once('data', () =>
        socket.end(
          'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n',
        ),
      )
    })
    await using front = await startFront(workspace.address)
    const answer = await exchange(front.address, 'GET / HTTP/1.0\r\nHost: h\r\n\r\n')
    assert.match(
      answer,
      /^HTTP\/1\.1 200 OK\r\nX-Request-Id: request-1\r\nConnection: close\r\n\r\nok$/,
    )
  })
})

describe('a body', () => {
  const echo = (req: IncomingMessage, res: ServerResponse) => {
    res.setHeader(
      'X-Length',
      req.headers['content-length'] ?? req.headers['transfer-encoding'] ?? '',
    )
    req.pipe(res)
  }

  it('arrives whole with its length, chunked, and with GET', async () => {
    await using workspace = await startWorkspace(echo)
    await using front = await startFront(workspace.address)
    const head = ' / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n'
    const sized = await exchange(front.address, `PUT${head}Content-Length: 5\r\n\r\nhello`)
    assert.match(sized, /X-Length: 5\r\n.*\r\nhello\r\n0\r\n\r\n$/s)
    const chunked = await exchange(
      front.address,
      `POST${head}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nX-T: 1\r\n\r\n`,
    )
    assert.match(
      chunked,
      /X-Length: chunked\r\n.*\r\n5\r\nhello|3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n$/s,
    )
    const withGet = await exchange(front.address, `GET${head}Content-Length: 5\r\n\r\nhello`)
    assert.match(withGet, /X-Length: 5\r\n.*\r\nhello\r\n0\r\n\r\n$/s)
    const none = await exchange(front.address, `POST${head}Content-Length: 0\r\n\r\n`)
    assert.match(none, /X-Length: 0\r\n/)
  })

  it('is reported as use, chunk by chunk, and its answer as drained', async () => {
    let uses = 0
    let drained = 0
    let answers = 0
    await using workspace = await startWorkspace(echo)
    await using front = await startFront(workspace.address, {
      hooks: {
        onUse: () => (uses += 1),
        onDrained: (bytes) => (drained += bytes),
        onAnswer: () => (answers += 1),
      },
    })
    const body = 'x'.repeat(300_000)
    const outcome = front.nextOutcome()
    await exchange(
      front.address,
      `POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    )
    assert.deepEqual(await outcome, {
      kind: 'answered',
      status: 200,
      bytesIn: body.length,
      bytesOut: body.length,
    })
    assert.ok(uses > 0)
    assert.equal(answers, 1)
    assert.ok(drained > body.length - 1000 && drained <= body.length, `${drained} bytes drained`)
  })

  it('waits for 100 Continue only until a workspace has accepted the connection', async () => {
    await using workspace = await startWorkspace(echo)
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    client.send(
      'POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n',
    )
    await client.until(/^HTTP\/1\.1 100 Continue\r\n\r\n/)
    assert.equal(workspace.connections(), 1)
    client.send('ok')
    assert.match(await client.end(), /HTTP\/1\.1 200 OK\r\n.*ok/s)
  })

  it('gets no 100 Continue when no workspace accepts the connection', async () => {
    const closed = await startWorkspace(echo)
    await closed[Symbol.asyncDispose]()
    await using front = await startFront(closed.address)
    const answer = await exchange(
      front.address,
      'POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1\.1 503 /)
  })

  it('may be answered during the upload, and the client can read that answer', async () => {
    const size = 30_000_000
    const asked = Promise.withResolvers<ServerResponse>()
    await using workspace = await startWorkspace((req, res) => {
      // The first is answered when its upload has stopped, the second at once.
      if (req.url === '/') asked.resolve(res)
      else res.writeHead(413, { 'Content-Length': 3 }).end('big')
    })
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${size}\r\n\r\n`)
    client.send(Buffer.alloc(size))
    const res = await asked.promise
    await settledCount(() => client.socket.writableLength)
    assert.ok(client.socket.writableLength > 0)
    res.writeHead(413, { 'Content-Length': 3 }).end('big')
    await client.until(/413 .*\r\n\r\nbig$/s)
    // The rest is read and discarded; the connection then serves another request.
    client.send(
      `POST /again HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 9\r\n\r\nx`,
    )
    assert.match(await client.end(), /big.*413 .*big$/s)
  })

  it('streams both ways at once', async () => {
    await using workspace = await startWorkspace(echo)
    await using front = await startFront(workspace.address)
    using client = await connectRaw(front.address)
    client.send(
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
    )
    client.send('3\r\none\r\n')
    await client.until(/one/)
    client.send('3\r\ntwo\r\n')
    await client.until(/two/)
    client.send('0\r\n\r\n')
    await client.end()
  })

  it('is not read faster than the workspace reads it, nor an answer faster than the client reads it', async () => {
    const size = 100 * 1024 * 1024
    const receiving = Promise.withResolvers<IncomingMessage>()
    let left = 0
    await using workspace = await startWorkspace((req, res) => {
      if (req.method === 'POST') {
        receiving.resolve(req)
        req.on('end', () => res.end('taken'))
        return
      }
      res.writeHead(200, { 'Content-Length': size })
      const chunk = Buffer.alloc(1024 * 1024)
      left = size / chunk.length
      const more = () => {
        while (left > 0) {
          left -= 1
          if (!res.write(chunk)) return void res.once('drain', more)
        }
        res.end()
      }
      more()
    })
    let passedOn = 0
    await using front = await startFront(workspace.address, {
      hooks: { onUse: () => (passedOn += 1) },
    })

    using upload = await connectRaw(front.address)
    upload.send(
      `POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: ${size}\r\n\r\n`,
    )
    const chunk = Buffer.alloc(1024 * 1024)
    for (let i = 0; i < 100; i += 1) upload.send(chunk)
    const req = await receiving.promise
    // The workspace reads nothing: what was sent fits into kernel buffers, and the rest stays with the client.
    await settledCount(() => upload.socket.writableLength)
    assert.ok(upload.socket.writableLength > size / 2, `${upload.socket.writableLength} left`)
    const stalledAt = passedOn
    let received = 0
    req.on('data', (part: Buffer) => (received += part.length))
    assert.match(await upload.end(), /taken/)
    assert.equal(received, size)
    assert.ok(passedOn > stalledAt)

    using download = await connectRaw(front.address)
    download.socket.pause()
    const outcome = front.nextOutcome()
    download.send(get('/'))
    await settledCount(() => left)
    assert.ok(left > 50 && front.outcomes.length === 1, `${left} MiB left`)
    download.socket.removeAllListeners('data')
    let drained = 0
    download.socket.on('data', (part: Buffer) => (drained += part.length))
    download.socket.resume()
    assert.deepEqual(await outcome, { kind: 'answered', status: 200, bytesIn: 0, bytesOut: size })
    await once(download.socket, 'end')
    assert.ok(drained > size)
  })
})

/** Waits until a number stays the same for some turns of the event loop. */
async function settledCount(read: () => number): Promise<void> {
  let same = 0
  let last = read()
  while (same < 2_000) {
    await new Promise((next) => setImmediate(next))
    same = read() === last ? same + 1 : 0
    last = read()
  }
}
