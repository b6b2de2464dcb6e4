// A WebSocket client for tests: each message, the end, and a refusal with its answer can be awaited.
import type { IncomingMessage } from 'node:http'
import { WebSocket } from 'ws'
import { DeadlineError } from '../run/deadline.ts'
import { connectTo, type Place } from './place.ts'

export interface OpenWebSocket {
  readonly socket: WebSocket
  send(message: string | Buffer): void
  /** The next message that was not read yet. */
  next(withinMs?: number): Promise<string>
  /** Resolves when either side has ended it. */
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>
  close(): void
}

/** The handshake was answered with another status than 101. */
export class UpgradeRefused extends Error {
  readonly status: number
  readonly body: string

  constructor(status: number, body: string) {
    super(`the upgrade was answered ${status}: ${body.slice(0, 200)}`)
    this.name = 'UpgradeRefused'
    this.status = status
    this.body = body
  }
}

const handshakeMs = 60_000

export async function openWebSocket(
  url: URL,
  place: Place,
  headers: Readonly<Record<string, string>>,
): Promise<OpenWebSocket> {
  const address = new URL(url)
  address.protocol = 'ws:'
  const { origin, ...others } = headers
  const socket = new WebSocket(address, {
    headers: { ...others, host: url.host },
    ...(origin === undefined ? {} : { origin }),
    handshakeTimeout: handshakeMs,
    maxPayload: 64 * 1024 * 1024,
    createConnection: () => connectTo(place),
  })
  const opened = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<{ code: number; reason: string }>()
  const arrived: string[] = []
  const takers: ((message: string) => void)[] = []
  socket.on('message', (data) => {
    const message = (data as Buffer).toString('utf8')
    const taker = takers.shift()
    if (taker === undefined) arrived.push(message)
    else taker(message)
  })
  socket.on('unexpected-response', (_request, answer) => {
    void readRefusal(answer).then(opened.reject, opened.reject)
  })
  socket.on('error', opened.reject)
  socket.on('open', opened.resolve)
  socket.on('close', (code, reason) => ended.resolve({ code, reason: reason.toString('utf8') }))
  await opened.promise

  return {
    socket,
    send: (message) => socket.send(message),
    next(withinMs = 30_000) {
      const waiting = arrived.shift()
      if (waiting !== undefined) return Promise.resolve(waiting)
      const { promise, resolve, reject } = Promise.withResolvers<string>()
      takers.push(resolve)
      const timer = setTimeout(
        () => reject(new DeadlineError('a WebSocket message', withinMs)),
        withinMs,
      )
      return promise.finally(() => clearTimeout(timer))
    },
    ended: ended.promise,
    close: () => socket.terminate(),
  }
}

async function readRefusal(answer: IncomingMessage): Promise<UpgradeRefused> {
  const chunks: Buffer[] = []
  for await (const chunk of answer as AsyncIterable<Buffer>) chunks.push(chunk)
  return new UpgradeRefused(answer.statusCode ?? 0, Buffer.concat(chunks).toString('utf8'))
}
