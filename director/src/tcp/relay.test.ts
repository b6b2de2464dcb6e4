import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { createFakeTime } from '@berth/shared/testing/fake-time'
import { systemTimer } from '@berth/shared/timer'
import { oneAtATime } from '../forward/connect-plain.ts'
import { relay, silentHalfMs, type RelayHooks } from './relay.ts'

const noHooks: RelayHooks = {
  mayPass: () => undefined,
  passed: () => undefined,
  setTimer: systemTimer,
}

/** What comes until the end of this way; the other way stays open. */
async function all(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of socket.iterator({ destroyOnReturn: false }))
    pieces.push(piece as Buffer)
  return Buffer.concat(pieces)
}

describe('the relay of a connection', () => {
  let server: Server
  before(async () => {
    server = createServer({ allowHalfOpen: true, ...oneAtATime })
    await once(server.listen(0, '127.0.0.1'), 'listening')
  })
  after(() => server.close())

  /** Both ends of a connection: that of a peer, and ours. */
  async function pair(): Promise<{ far: Socket; near: Socket }> {
    const { port } = server.address() as AddressInfo
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const [near] = await accepted
    for (const socket of [far, near]) socket.on('error', () => undefined)
    return { far, near }
  }

  async function relayed(hooks: Partial<RelayHooks> = {}) {
    const [client, workspace] = [await pair(), await pair()]
    const ended = relay(client.near, workspace.near, { ...noHooks, ...hooks })
    return { client: client.far, workspace: workspace.far, near: client.near, ended }
  }

  it('passes 8 MiB on unchanged, each way at once, and ends in order', async () => {
    const counts = { in: 0, out: 0 }
    const both = await relayed({ passed: (way, bytes) => (counts[way] += bytes) })
    const [up, down] = [randomBytes(8 * 1024 ** 2), randomBytes(8 * 1024 ** 2)]
    both.client.end(up)
    both.workspace.end(down)
    const [atWorkspace, atClient] = await Promise.all([all(both.workspace), all(both.client)])
    assert.ok(atWorkspace.equals(up))
    assert.ok(atClient.equals(down))
    assert.equal(await both.ended, true)
    assert.deepEqual(counts, { in: up.length, out: down.length })
  })

  it('keeps one way open when the other one has ended', async () => {
    const { client, workspace, ended } = await relayed()
    client.end('question')
    assert.equal(String(await all(workspace)), 'question')
    workspace.write('first ')
    assert.equal(String((await once(client, 'data'))[0]), 'first ')
    workspace.end('last')
    assert.equal(String(await all(client)), 'last')
    assert.equal(await ended, true)
  })

  it('hazard: a client that has gone in order does not keep the connection to a workspace that never ends its way', async () => {
    const time = createFakeTime()
    const { client, workspace, ended } = await relayed({ setTimer: time.setTimer })
    client.end('question')
    assert.equal(String(await all(workspace)), 'question')
    await time.pass(silentHalfMs - 1)
    workspace.write('one')
    assert.equal(String((await once(client, 'data'))[0]), 'one')
    await time.pass(silentHalfMs - 1)
    assert.equal(client.closed, false)
    const closed = once(client, 'close')
    await time.pass(1)
    assert.equal(await ended, false)
    await closed
    assert.equal(time.pending(), 0)
  })

  it('ends the other side when one of them breaks off, also after a half-close', async () => {
    for (const breaks of ['client', 'workspace'] as const) {
      const both = await relayed()
      const [broken, other] =
        breaks === 'client' ? [both.client, both.workspace] : [both.workspace, both.client]
      const closed = once(other.resume(), 'close')
      other.end('half')
      await once(broken, 'data')
      broken.resetAndDestroy()
      assert.equal(await both.ended, false, breaks)
      await closed
    }
  })

  it('passes nothing of the client on until it may, and ends if it may not', async () => {
    const asked: PromiseWithResolvers<boolean>[] = []
    const { client, workspace, ended } = await relayed({
      mayPass() {
        const next = Promise.withResolvers<boolean>()
        asked.push(next)
        return next.promise
      },
    })
    const seen: string[] = []
    workspace.on('data', (bytes) => seen.push(String(bytes)))
    client.write('one')
    workspace.write('for the client')
    assert.equal(String((await once(client, 'data'))[0]), 'for the client')
    assert.deepEqual([asked.length, seen], [1, []])
    asked[0]?.resolve(true)
    await once(workspace, 'data')
    client.resume().write('two')
    const closed = [once(client, 'end'), once(workspace, 'end')]
    while (asked.length < 2) await new Promise(setImmediate)
    asked[1]?.resolve(false)
    assert.equal(await ended, false)
    await Promise.all(closed)
    assert.deepEqual(seen, ['one'])
  })

  it('hazard: a peer that never reads holds the other one back, with one piece in memory', async () => {
    let passed = 0
    const { client, workspace, near, ended } = await relayed({
      passed: (_way, bytes) => (passed += bytes),
    })
    const most = 64 * 1024
    workspace.write(Buffer.alloc(64 * 1024 ** 2))
    // The buffers of the system are full once a piece waits through several rounds.
    for (let rounds = 0; rounds < 20; rounds = near.writableLength > 0 ? rounds + 1 : 0)
      await new Promise(setImmediate)
    assert.ok(near.writableLength <= most, `${near.writableLength} bytes wait`)
    assert.ok(passed < 64 * 1024 ** 2)
    client.destroy()
    assert.equal(await ended, false)
    workspace.destroy()
  })

  it('hazard: single bytes that cannot be passed on are not piled up', async () => {
    const { client, near, ended } = await relayed({ mayPass: () => new Promise(() => undefined) })
    client.setNoDelay(true)
    for (let index = 0; index < 500; index += 1) {
      client.write('x')
      await new Promise(setImmediate)
    }
    // One piece waits for permission, and the next one in the stream: the rest is in the system's own buffer.
    assert.ok(near.bytesRead <= 250, `${near.bytesRead} bytes were read`)
    client.destroy()
    void ended
    near.destroy()
  })
})
