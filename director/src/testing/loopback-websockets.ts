// WebSocket handshakes and frames as bytes, and workspaces that send and receive them.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import type { Address } from '@berth/shared/contract'
import { WebSocketServer } from 'ws'
import {
  connectRaw,
  startRawWorkspace,
  type Front,
  type RawClient,
  type Workspace,
} from './loopback.ts'
import type { UpgradedConnection } from '../forward/upgraded-connection.ts'

export const asking = (target = '/', more = '') =>
  `GET ${target} HTTP/1.1\r\nHost: lab.test\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${more}\r\n`
export const accepting =
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'
export const frame = (opcode: number, payload: string) =>
  String.fromCharCode(0x80 | opcode, payload.length) + payload
export const masked = (opcode: number, payload: string) =>
  String.fromCharCode(0x80 | opcode, 0x80 | payload.length) + '\0\0\0\0' + payload

/** A workspace that accepts every handshake and then sends raw bytes. */
export async function startAccepting(): Promise<Workspace & { accepted(): Promise<RawSide> }> {
  const sides: RawSide[] = []
  const waiting: ((side: RawSide) => void)[] = []
  const workspace = await startRawWorkspace((socket) => {
    let text = ''
    const send = (bytes: string) => void socket.write(bytes, 'latin1')
    const side: RawSide = { socket, send, received: () => text }
    socket.once('data', () => {
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
      socket.write(accepting)
      const next = waiting.shift()
      if (next === undefined) sides.push(side)
      else next(side)
    })
  })
  return Object.assign(workspace, {
    accepted: () => {
      const side = sides.shift()
      if (side !== undefined) return Promise.resolve(side)
      return new Promise<RawSide>((resolve) => waiting.push(resolve))
    },
  })
}

export interface RawSide {
  readonly socket: Socket
  send(bytes: string): void
  received(): string
}

export async function open(
  front: Front,
  workspace: Awaited<ReturnType<typeof startAccepting>>,
): Promise<{ client: RawClient; side: RawSide; connection: UpgradedConnection }> {
  const client = await connectRaw(front.address)
  const outcome = front.nextOutcome()
  client.send(asking())
  const side = await workspace.accepted()
  await client.until(/\r\n\r\n/)
  const opened = await outcome
  assert.ok(opened.kind === 'open')
  return { client, side, connection: opened.connection }
}

export const after = (client: RawClient) =>
  client.received().split('\r\n\r\n').slice(1).join('\r\n\r\n')

export async function reads(side: RawSide, wanted: string): Promise<void> {
  while (side.received() !== wanted) {
    assert.ok(wanted.startsWith(side.received()), `got ${JSON.stringify(side.received())}`)
    await once(side.socket, 'data')
  }
}

export async function echoServer(): Promise<{
  address: Address
  nextClose(): Promise<number>
  close(): void
}> {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: { threshold: 0 },
  })
  await once(server, 'listening')
  const closes: ((code: number) => void)[] = []
  server.on('connection', (socket) => {
    socket.on('message', (data: Buffer, binary) => socket.send(data, { binary }))
    socket.on('close', (code) => closes.shift()?.(code))
  })
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return {
    address: { host: '127.0.0.1', port: address.port },
    nextClose: () => new Promise((resolve) => closes.push(resolve)),
    close: () => server.close(),
  }
}
