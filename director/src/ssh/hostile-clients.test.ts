import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Socket } from 'node:net'
import { createLog } from '@berth/shared/log'
import type { UserName } from '@berth/shared/names'
import { parseSubnetPool } from '@berth/shared/subnet-pool'
import { systemTimer } from '@berth/shared/timer'
import ssh2, { type ServerChannel } from 'ssh2'
import { createChannelWriter } from './channel-writer.ts'
import type { ConnectionDeps } from './connection.ts'
import { readHostKeys, type HostKey } from './host-keys.ts'
import type { AskedSession } from './session.ts'
import { startSshListener, type SshListener } from './ssh-listener.ts'

const pool = parseSubnetPool('127.5.0.0/16')
const keys = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256 })
const wholeWindow = 2 ** 32 - 1
const unrestricted = { mayHaveTerminal: true, mayForward: true }

/** What the library keeps to itself, on both sides. */
interface Inside {
  readonly _sock: Socket
  readonly _protocol: {
    session(channel: number, window: number, packet: number): void
    exec(channel: number, command: string, wantsReply: boolean): void
    env(channel: number, name: string, value: string, wantsReply: boolean): void
    channelData(channel: number, bytes: Buffer): void
    channelClose(channel: number): void
    tcpipForward(host: string, port: number, wantsReply: boolean): void
    rekey(): void
  }
  readonly _chanMgr: { add(opened: unknown): number }
}
const inside = (client: ssh2.Client): Inside => client as unknown as Inside

describe('hazard: a client that has signed in', () => {
  let folder: string
  let hostKeys: readonly HostKey[]
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'berth-ssh-hostile-'))
    hostKeys = await readHostKeys(folder)
  })
  after(() => rm(folder, { recursive: true }))

  function listener(more: Partial<ConnectionDeps> = {}): Promise<SshListener> {
    assert.ok(pool)
    return startSshListener({
      port: 0,
      pool,
      hostKeys,
      authenticate: {
        methods: ['publickey'],
        signIn: async ({ username }) => ({
          login: { user: username as UserName, template: '' },
          key: unrestricted,
        }),
      },
      serveSession: async () => undefined,
      forwarding: { forward: async () => undefined, listen: () => Promise.reject(new Error()) },
      mayBeSet: () => false,
      exchangeMs: 300,
      maxAgeMs: 0,
      setTimer: systemTimer,
      log: createLog({ service: 'test', level: 'silent' }),
      ...more,
    })
  }
  async function signedIn({ port }: SshListener): Promise<ssh2.Client> {
    const client = new ssh2.Client()
    client.connect({ host: '127.0.0.1', port, username: 'alice', privateKey: keys.private })
    await once(client, 'ready')
    client.on('error', () => undefined)
    return client
  }
  /** @returns the number that the server gave the channel */
  function openSession(client: ssh2.Client, window = wholeWindow): Promise<number> {
    return new Promise((resolve, reject) => {
      const opened = (error: Error | undefined, channel: unknown): void =>
        error === undefined
          ? resolve((channel as { outgoing: { id: number } }).outgoing.id)
          : reject(error)
      const { _chanMgr, _protocol } = inside(client)
      _protocol.session(_chanMgr.add(Object.assign(opened, { type: 'session' })), window, 32_768)
    })
  }
  /** Begins one session, and gives what the server has of it. */
  async function begun(more: Partial<ConnectionDeps> = {}) {
    const asked = Promise.withResolvers<AskedSession>()
    let served = 0
    const serveSession = async (one: AskedSession): Promise<void> => {
      served += 1
      asked.resolve(one)
    }
    const server = await listener({ serveSession, ...more })
    const client = await signedIn(server)
    const id = await openSession(client)
    inside(client)._protocol.exec(id, 'cat', false)
    return { server, client, id, asked: await asked.promise, served: () => served }
  }
  const closed = (client: ssh2.Client): Promise<unknown> => once(client, 'close')
  const socketOf = (channel: ServerChannel): Socket =>
    (channel as unknown as { _client: { _sock: Socket } })._client._sock

  it('begins an exchange of keys and does not go on: output waits, and the connection ends in time', async () => {
    await using atEnd = new AsyncDisposableStack()
    const { server, client, asked } = await begun()
    atEnd.defer(() => server[Symbol.asyncDispose]())
    const gone = once(socketOf(asked.channel), 'close')
    const { _sock, _protocol } = inside(client)
    _protocol.rekey()
    _sock.pause()
    const writer = createChannelWriter(asked.channel, asked.drained, asked.gone)
    const piece = Buffer.alloc(32 * 1024)
    let written = 0
    // Long enough for far more than may be kept.
    while (!asked.gone.aborted && written < 512 * 1024 ** 2) {
      await writer.write('output', piece)
      written += piece.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.ok(written < 32 * 1024 ** 2, `${written} bytes were taken`)
    await gone
    client.destroy()
  })

  it('exchanges keys without end: its connection ends', async () => {
    await using server = await listener()
    const client = await signedIn(server)
    const end = closed(client)
    let exchanges = 0
    client.on('handshake', () => {
      exchanges += 1
      setImmediate(() => inside(client)._protocol.rekey())
    })
    inside(client)._protocol.rekey()
    await end
    assert.ok(exchanges < 100, `${exchanges} exchanges`)
  })

  it('sends more than its window: its connection ends', async () => {
    await using atEnd = new AsyncDisposableStack()
    const { server, client, id } = await begun()
    atEnd.defer(() => server[Symbol.asyncDispose]())
    const end = closed(client)
    const piece = Buffer.alloc(30_000)
    let sent = 0
    let isOver = false
    void end.then(() => (isOver = true))
    while (!isOver && sent < 64 * 1024 ** 2) {
      inside(client)._protocol.channelData(id, piece)
      sent += piece.length
      await new Promise((resolve) => setImmediate(resolve))
    }
    await end
  })

  it('sends its data byte by byte to a process that does not read: they are kept in few pieces, and none is lost', async () => {
    await using atEnd = new AsyncDisposableStack()
    const { server, client, id, asked } = await begun()
    atEnd.defer(() => server[Symbol.asyncDispose]())
    const { channel } = asked
    const count = 60_000
    for (let at = 0; at < count; at += 1) {
      inside(client)._protocol.channelData(id, Buffer.from([at % 251]))
      if (at % 5_000 === 0) await new Promise((resolve) => setImmediate(resolve))
    }
    inside(client)._protocol.channelClose(id)
    const state = channel as unknown as {
      _readableState: { buffer: unknown[] }
      incoming: { window: number; state: string }
    }
    while (state.incoming.state === 'open') await new Promise((resolve) => setImmediate(resolve))
    assert.ok(state._readableState.buffer.length < 2_000)
    const chunks: Buffer[] = []
    for await (const chunk of channel as AsyncIterable<Buffer>) chunks.push(chunk)
    const all = Buffer.concat(chunks)
    assert.equal(all.length, count)
    assert.ok(all.every((byte, at) => byte === at % 251))
    client.destroy()
  })

  it('asks and does not read the answers: nothing is read from it any more', async () => {
    await using atEnd = new AsyncDisposableStack()
    const { server, client, asked } = await begun()
    atEnd.defer(() => server[Symbol.asyncDispose]())
    const { _sock, _protocol } = inside(client)
    const id = await openSession(client)
    const own = socketOf(asked.channel)
    _sock.pause()
    // The buffers of both sockets are full then.
    const writer = createChannelWriter(asked.channel, asked.drained, asked.gone)
    let isFull = false
    while (!isFull) {
      void writer.write('output', Buffer.alloc(32 * 1024))
      await new Promise((resolve) => setTimeout(resolve, 1))
      isFull = own.writableNeedDrain
    }
    let most = 0
    for (let at = 0; at < 60_000; at += 1) {
      _protocol.env(id, 'A', 'b', true)
      if (at % 500 !== 0) continue
      await new Promise((resolve) => setImmediate(resolve))
      most = Math.max(most, own.writableLength)
    }
    assert.ok(most < 1.5 * 1024 ** 2, `${most} bytes were kept`)
    client.destroy()
  })

  it('opens sessions and leaves them: they are bound for each connection', async () => {
    await using server = await listener()
    const client = await signedIn(server)
    await assert.rejects(async () => {
      for (let at = 0; at < 200; at += 1)
        inside(client)._protocol.channelClose(await openSession(client))
    })
    client.destroy()
  })

  it('asks to listen without end while its workspace starts: its connection ends', async () => {
    await using server = await listener({
      forwarding: { forward: async () => undefined, listen: () => new Promise(() => undefined) },
    })
    const client = await signedIn(server)
    const end = closed(client)
    for (let at = 0; at < 1_000; at += 1)
      inside(client)._protocol.tcpipForward('localhost', 1_000 + at, false)
    await end
  })

  it('begins its session twice: the second time is none', async () => {
    await using atEnd = new AsyncDisposableStack()
    const { server, client, id, served } = await begun()
    atEnd.defer(() => server[Symbol.asyncDispose]())
    for (let at = 0; at < 10; at += 1) inside(client)._protocol.exec(id, 'cat', false)
    await openSession(client)
    assert.equal(served(), 1)
    client.destroy()
  })
})
