// Requests of a hostile client that reaches the director as the gateway does.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { connectRaw } from '../testing/loopback.ts'
import { granted, startTestBed } from '../testing/test-bed.ts'

const head = (line: string, ...headers: string[]) =>
  [
    line,
    'Host: berth.test',
    'X-Forwarded-Preferred-Username: alice',
    'X-Forwarded-User: u-alice',
    ...headers,
    '',
    '',
  ].join('\r\n')

const upgrade = head(
  'GET /ws HTTP/1.1',
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
)

describe('hazard: an upgrade that is pipelined behind a request', () => {
  it('ends its connection before the answer, reaches no workspace, and affects no other client', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((req, res) => {
      if (req.url !== '/slow') res.end('answered')
    })
    bed.spawner.seats = async () => granted(workspace.address)
    using raw = await connectRaw({ host: '127.0.0.1', port: bed.director.port })
    raw.send(head('GET /slow HTTP/1.1') + upgrade)
    assert.equal(await raw.end(), '')
    assert.equal((await bed.request({ path: '/other' })).body, 'answered')
    assert.ok(!workspace.requests.includes('GET /ws'))
  })

  it('is served on a connection whose earlier answers are complete', async () => {
    await using bed = await startTestBed()
    const workspace = await bed.workspace((_req, res) => res.end('answered'))
    workspace.server.on('upgrade', (_req, socket) => {
      socket.write('HTTP/1.1 101 Go\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    bed.spawner.seats = async () => granted(workspace.address)
    using raw = await connectRaw({ host: '127.0.0.1', port: bed.director.port })
    raw.send(head('GET / HTTP/1.1'))
    await raw.until(/answered/)
    raw.send(upgrade)
    await raw.until(/HTTP\/1\.1 101 /)
    raw.socket.destroy()
    await once(raw.socket, 'close')
  })
})
