// A client of SSH below the requests that usual clients make: what the library keeps to itself, typed where it is used.
import { once } from 'node:events'
import type { Socket } from 'node:net'
import ssh2, { type ClientChannel, type ConnectConfig } from 'ssh2'
import { within } from '../run/deadline.ts'

/** Requests of RFC 4254. The channel is named by the number that the server gave it. */
export interface Protocol {
  env(channel: number, name: string, value: string, wantsReply: boolean): void
  pty(
    channel: number,
    rows: number,
    columns: number,
    height: number,
    width: number,
    term: string,
    modes: null,
    wantsReply: boolean,
  ): void
  windowChange(channel: number, rows: number, columns: number, height: number, width: number): void
  signal(channel: number, name: string): void
  shell(channel: number, wantsReply: boolean): void
  exec(channel: number, command: string, wantsReply: boolean): void
  session(ownChannel: number, window: number, packet: number): void
  channelData(channel: number, bytes: Buffer): void
  rekey(): void
}

interface Inside {
  readonly _protocol: Protocol & {
    readonly _cipher: { encrypt(packet: Buffer): void }
  }
  readonly _sock: Socket
  readonly _chanMgr: { add(opened: unknown): number }
}

export const protocolOf = (client: ssh2.Client): Protocol => (client as unknown as Inside)._protocol

/** Reads nothing more from the connection. */
export function stopReading(client: ssh2.Client): void {
  ;(client as unknown as Inside)._sock.pause()
}

/** Resolves when the connection has ended, with or without an error. */
export const ended = (client: ssh2.Client): Promise<void> =>
  new Promise((resolve) => void client.once('close', () => resolve()))

/** Resolves once what was sent has left, and other work had its turn. */
export async function sent(client: ssh2.Client): Promise<void> {
  const { _sock } = client as unknown as Inside
  await new Promise((resolve) => setImmediate(resolve))
  if (_sock.writableNeedDrain)
    await new Promise<void>((resolve) => {
      _sock.once('drain', resolve).once('close', resolve)
    })
}

/** A packet begins with its length and the length of its padding. */
const packetHead = 5

/** Changes a byte of some packets before they are encrypted: what arrives is authentic, and wrong. */
export function mutatePackets(client: ssh2.Client, random: (below: number) => number): void {
  const { _cipher } = (client as unknown as Inside)._protocol
  const encrypt = _cipher.encrypt.bind(_cipher)
  _cipher.encrypt = (packet) => {
    if (random(3) === 0 && packet.length > packetHead)
      packet[packetHead + random(packet.length - packetHead)] = random(256)
    encrypt(packet)
  }
}

/** Signs in. Later errors of the connection are seen as its end. */
export async function signedIn(config: ConnectConfig): Promise<ssh2.Client> {
  const client = new ssh2.Client()
  client.connect({ port: 2222, readyTimeout: 60_000, ...config })
  await once(client, 'ready')
  client.on('error', () => undefined)
  return client
}

export interface BareSession {
  /** The number that the server gave it. */
  readonly id: number
  readonly channel: ClientChannel
}

/** Opens a session, and asks for nothing in it. */
export async function openSession(
  client: ssh2.Client,
  { window = 2 * 1024 ** 2 }: { readonly window?: number } = {},
): Promise<BareSession> {
  const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>()
  const opened = Object.assign(
    (error: Error | undefined, channel: ClientChannel) =>
      error === undefined ? resolve(channel) : reject(error),
    { type: 'session' },
  )
  const number = (client as unknown as Inside)._chanMgr.add(opened)
  if (number === -1) throw new Error('the library has no channel left')
  protocolOf(client).session(number, window, 32 * 1024)
  client.once('close', () => reject(new Error('the connection has ended')))
  const channel = await within(30_000, 'the session opens', promise)
  const { id } = (channel as unknown as { readonly outgoing: { readonly id: number } }).outgoing
  return { id, channel }
}
