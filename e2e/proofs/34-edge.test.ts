// Proof 34: Caddy in front of the gateway, with its internal authority: TLS, and what the gateway learns about a request. The
// gateway is a stand-in: proof 12 and the tests of `gateway/` show what a gateway makes of it.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { get } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../run/deadline.ts'
import { freePorts } from '../run/free-ports.ts'
import { takenDownAtTheEnd } from '../run/interruption.ts'
import { surroundings } from '../run/surroundings.ts'

describe('proof 34: TLS in front of the gateway', () => {
  let stack: AsyncDisposableStack
  let port: number
  let ca: Buffer
  let release: () => void

  before(async () => {
    stack = new AsyncDisposableStack()
    const folder = await mkdtemp(join(tmpdir(), 'berth-edge-'))
    stack.defer(() => rm(folder, { recursive: true, force: true }))
    const upstream = await startUpstream(stack, (next) => (release = next))
    const [free = 0] = await freePorts(1)
    port = free
    const caddy = spawn(
      surroundings.caddy,
      ['run', '--config', join(surroundings.root, 'edge/Caddyfile'), '--adapter', 'caddyfile'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
        env: {
          XDG_DATA_HOME: folder,
          XDG_CONFIG_HOME: folder,
          EDGE_HOSTS: `https://localhost:${port}`,
          EDGE_TLS: 'internal',
          EDGE_UPSTREAM: `127.0.0.1:${upstream}`,
          EDGE_OPTIONS: 'auto_https disable_redirects',
        },
      },
    )
    let words = ''
    caddy.stderr.on('data', (chunk) => (words += String(chunk)))
    stack.defer(
      takenDownAtTheEnd(async () => {
        if (caddy.exitCode === null && caddy.kill('SIGKILL')) await once(caddy, 'close')
      }),
    )
    const root = join(folder, 'caddy/pki/authorities/local/root.crt')
    await eventually('Caddy serves', 30_000, async () => {
      if (caddy.exitCode !== null) throw new Error(`Caddy ended: ${words}`)
      ca = await readFile(root)
      const answer = await ask('/')
      answer.resume()
      return answer.statusCode === 200
    })
  })
  after(() => stack[Symbol.asyncDispose]())

  async function ask(path: string, headers: Record<string, string> = {}): Promise<IncomingMessage> {
    const request = get({ host: 'localhost', port, path, ca, headers, agent: false })
    const [answer] = (await once(request, 'response')) as [IncomingMessage]
    return answer
  }

  it('tells the gateway how and from where a request came, and keeps nothing that a client says of it', async () => {
    const answer = await ask('/echo?a=%2F', {
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'evil.example',
      'x-request-id': 'of the client',
    })
    const { target, headers } = JSON.parse(await textOf(answer)) as {
      target: string
      headers: Record<string, string>
    }
    assert.equal(target, '/echo?a=%2F')
    assert.equal(headers['host'], `localhost:${port}`)
    assert.equal(headers['x-forwarded-host'], `localhost:${port}`)
    assert.equal(headers['x-forwarded-proto'], 'https')
    assert.match(headers['x-forwarded-for'] ?? '', /^(127\.0\.0\.1|::1)$/)
    assert.match(headers['x-request-id'] ?? '', /^[0-9a-f]{8}-[0-9a-f-]{27}$/)
  })

  it('passes events at once, and WebSockets', async () => {
    const events = await ask('/events')
    const [first] = (await once(events, 'data')) as [Buffer]
    assert.equal(String(first), 'data: 1\n\n')
    release()
    const socket = new WebSocket(`wss://localhost:${port}/ws`, { ca })
    const [said] = (await once(socket, 'message')) as [Buffer]
    assert.equal(String(said), 'hello')
    socket.close()
    await once(socket, 'close')
  })
})

async function textOf(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

/** @param held gets what ends an open stream of events */
async function startUpstream(
  stack: AsyncDisposableStack,
  held: (release: () => void) => void,
): Promise<number> {
  const server = createServer((request, response) => {
    if (request.url === '/events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: 1\n\n')
      held(() => response.end())
      return
    }
    response.end(JSON.stringify({ target: request.url, headers: request.headers }))
  })
  const sockets = new WebSocketServer({ server })
  sockets.on('connection', (socket) => socket.send('hello'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  stack.defer(async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    for (const socket of sockets.clients) socket.terminate()
    await closed
  })
  return (server.address() as AddressInfo).port
}
