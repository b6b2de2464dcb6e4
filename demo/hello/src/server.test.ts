import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { request as httpRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { WebSocket } from 'ws'
import { createHello } from './server.ts'

let home: string
let port: number
let close: () => Promise<void>
const printed: string[] = []

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'hello-'))
  const server = createHello({
    home,
    env: { GREETING: 'hi' },
    readyAt: 0,
    now: () => 1,
    exit: () => assert.fail('nobody asked for it'),
    print: (line) => printed.push(line),
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
  close = async () => {
    server.close()
    server.closeAllConnections()
    await rm(home, { recursive: true })
  }
})

after(() => close())

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly trailers: IncomingMessage['trailers']
  readonly body: Buffer
}

async function ask(
  path: string,
  options: { method?: string; headers?: OutgoingHttpHeaders; body?: string | Buffer } = {},
): Promise<Answer> {
  const { method = 'GET', headers = {}, body } = options
  const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false })
  // A reset after the answer has begun is an error of both request and answer. The reader below handles it.
  outgoing.on('error', () => outgoing.destroy())
  outgoing.end(body)
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    trailers: response.trailers,
    body: Buffer.concat(chunks),
  }
}

async function askJson(path: string, options: Parameters<typeof ask>[1] = {}) {
  return JSON.parse((await ask(path, options)).body.toString()) as Record<string, unknown>
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

test('names the container on its page', async () => {
  const answer = await ask('/', { headers: { accept: 'text/html' } })
  assert.equal(answer.status, 200)
  assert.match(answer.body.toString(), /Hello from /)
  assert.ok(answer.headers['hello-host'])
})

test('echoes target, headers in order and a chunked body exactly', async () => {
  const body = 'x'.repeat(100_000)
  const told = await askJson('/echo/a//b%2F../?q=%zz', {
    method: 'POST',
    headers: { 'X-Two': ['1', '2'], x_under: 'score', 'transfer-encoding': 'chunked' },
    body,
  })
  assert.equal(told['method'], 'POST')
  assert.equal(told['target'], '/echo/a//b%2F../?q=%zz')
  assert.deepEqual(told['body'], { length: body.length, sha256: sha256(body) })
  const sent = (told['headers'] as [string, string][]).filter(([name]) => /^x.|^tr/i.test(name))
  assert.deepEqual(sent, [
    ['X-Two', '1'],
    ['X-Two', '2'],
    ['x_under', 'score'],
    ['transfer-encoding', 'chunked'],
  ])
})

test('sends bytes in any framing, with the announced checksum', async () => {
  const n = 300_000
  const { sha256: promised } = await askJson(`/bytes?n=${n}&as=sha256`)
  for (const framing of ['sized', 'chunked', 'close']) {
    const answer = await ask(`/bytes?n=${n}&framing=${framing}`)
    assert.equal(answer.body.length, n, framing)
    assert.equal(sha256(answer.body), promised, framing)
    if (framing === 'chunked') assert.equal(answer.trailers['hello-sha256'], promised)
  }
})

test('answers a range with 206, and a range beyond the end with 416', async () => {
  const part = await ask('/bytes?n=100', { headers: { range: 'bytes=10-19' } })
  assert.equal(part.status, 206)
  assert.equal(part.headers['content-range'], 'bytes 10-19/100')
  assert.equal(part.body.length, 10)
  assert.equal((await ask('/bytes?n=100', { headers: { range: 'bytes=100-' } })).status, 416)
})

test('returns the requested headers, including repeated ones', async () => {
  const answer = await ask('/headers?Set-Cookie=a%3D1&Set-Cookie=b%3D2&X-Odd=%20y')
  assert.deepEqual(answer.headers['set-cookie'], ['a=1', 'b=2'])
})

test('keeps a file, and refuses names outside of the folder', async () => {
  assert.equal((await ask('/files/note', { method: 'PUT', body: 'kept' })).status, 201)
  assert.equal((await ask('/files/note')).body.toString(), 'kept')
  assert.deepEqual(JSON.parse((await ask('/files/')).body.toString()), ['note'])
  for (const name of ['..', '%2e%2e', 'a%2Fb', '..%2F..%2Fetc%2Fpasswd', '%00', '%zz']) {
    assert.equal((await ask(`/files/${name}`)).status, 400, name)
  }
  assert.equal((await ask('/files/none')).status, 404)
})

test('resets in the middle, which is an error for the client and not a short answer', async () => {
  await assert.rejects(ask('/reset?n=1000&after=10'), { code: 'ECONNRESET' })
  await assert.rejects(ask('/reset?when=before'), { code: 'ECONNRESET' })
})

test('counts requests, and does not count with ?peek', async () => {
  await ask('/count/a')
  await ask('/count/a')
  assert.deepEqual(await askJson('/count/a?peek'), { key: 'a', count: 2 })
})

test('sends a raw answer byte for byte', async () => {
  const answer = await ask('/raw', {
    method: 'POST',
    body: 'HTTP/1.1 299 Odd\r\nX-Raw: 1\r\nContent-Length: 2\r\n\r\nok',
  })
  assert.equal(answer.status, 299)
  assert.equal(answer.headers['x-raw'], '1')
})

async function open(path: string): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`)
  await once(socket, 'open')
  return socket
}

test('echoes text and binary of any size on a WebSocket, and answers pings', async () => {
  const socket = await open('/ws')
  const large = Buffer.alloc(3_000_000, 7)
  for (const message of ['text', 'ä', large, '']) {
    socket.send(message)
    const [echoed, binary] = (await once(socket, 'message')) as [Buffer, boolean]
    assert.equal(binary, typeof message !== 'string')
    assert.ok(Buffer.from(message as string).equals(echoed))
  }
  socket.ping('here?')
  const [pong] = (await once(socket, 'pong')) as [Buffer]
  assert.equal(pong.toString(), 'here?')
  socket.close(4001, 'bye')
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer]
  assert.equal(code, 4001)
  assert.equal(reason.toString(), 'bye')
})

test('echoes a fragmented message completely', async () => {
  const socket = await open('/ws')
  socket.send('one ', { fin: false })
  socket.send('two', { fin: true })
  const [echoed] = (await once(socket, 'message')) as [Buffer]
  assert.equal(echoed.toString(), 'one two')
  socket.terminate()
})

test('answers a handshake that it must refuse with an ordinary response', async () => {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?refuse=418`)
  const [error] = (await once(socket, 'error')) as [Error]
  assert.match(error.message, /418/)
})
