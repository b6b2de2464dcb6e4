// /ws: echoes each frame unchanged. The query can request further behaviour for tests.
import { createHash } from 'node:crypto'
import { STATUS_CODES, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { describe } from './echo.ts'
import { numberOf, splitTarget } from './exchange.ts'
import type { Tally } from './tally.ts'
import {
  closePayload,
  createFrameReader,
  encodeFrame,
  encodeHeader,
  opcodes,
  type FrameHeader,
} from './websocket-frames.ts'

const acceptGuid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export function createWebSocketEcho(
  tally: Tally,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  return (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const { path, query } = splitTarget(request.url ?? '/')
    const refusal = refusalOf(request, path, query)
    if (refusal !== undefined) {
      refuse(socket, refusal)
      return
    }
    tally.openWebSockets += 1
    socket.on('close', () => (tally.openWebSockets -= 1))
    socket.write(handshake(request))
    serve(request, socket, head, query)
  }
}

function refusalOf(
  request: IncomingMessage,
  path: string,
  query: URLSearchParams,
): number | undefined {
  if (query.has('refuse')) return numberOf(query, 'refuse', 403)
  if (path !== '/ws' && !path.startsWith('/ws/')) return 404
  if ((request.headers.upgrade ?? '').toLowerCase() !== 'websocket') return 400
  return request.headers['sec-websocket-key'] === undefined ? 400 : undefined
}

function refuse(socket: Duplex, status: number): void {
  const text = `${status} ${STATUS_CODES[status] ?? 'refused'}\n`
  const lines = [
    `HTTP/1.1 ${text.trim()}`,
    'Content-Type: text/plain',
    `Content-Length: ${text.length}`,
  ]
  socket.end(`${[...lines, 'Connection: close', '', ''].join('\r\n')}${text}`)
}

function handshake(request: IncomingMessage): string {
  const key = request.headers['sec-websocket-key'] ?? ''
  const accept = createHash('sha1').update(`${key}${acceptGuid}`).digest('base64')
  const protocol = (request.headers['sec-websocket-protocol'] ?? '').split(',', 1)[0]?.trim() ?? ''
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accept}`,
    ...(protocol === '' ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ]
  return `${[...lines, '', ''].join('\r\n')}`
}

function serve(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  query: URLSearchParams,
): void {
  let frame: FrameHeader | undefined
  let control: Buffer[] = []
  let echoing = false
  // The server's own frames wait for the end of the frame that is being echoed.
  const waiting: Buffer[] = []

  function write(bytes: Buffer): void {
    if (socket.destroyed || socket.writableEnded) return
    if (socket.write(bytes)) return
    socket.pause()
    socket.once('drain', () => socket.resume())
  }

  function sendOwn(opcode: number, payload: Buffer | string): void {
    const encoded = encodeFrame(opcode, payload)
    if (echoing) waiting.push(encoded)
    else write(encoded)
  }

  function answerControl(opcode: number): void {
    const payload = Buffer.concat(control)
    if (opcode === opcodes.ping) sendOwn(opcodes.pong, payload)
    if (opcode !== opcodes.close) return
    sendOwn(opcodes.close, payload)
    socket.end()
  }

  const mute = query.has('mute')
  const read = createFrameReader({
    header(header) {
      frame = header
      control = []
      echoing = header.opcode < 8 && !mute
      if (echoing) write(encodeHeader(header))
    },
    payload(piece) {
      if (echoing) write(piece)
      else if ((frame?.opcode ?? 0) >= 8) control.push(piece)
    },
    end() {
      echoing = false
      for (const own of waiting.splice(0)) write(own)
      if (frame !== undefined && frame.opcode >= 8) answerControl(frame.opcode)
    },
  })

  function receive(chunk: Buffer): void {
    try {
      read(chunk)
    } catch (error) {
      sendOwn(opcodes.close, closePayload(1002, error instanceof Error ? error.message : ''))
      socket.end()
    }
  }

  if (query.has('hello')) sendOwn(opcodes.text, JSON.stringify(describe(request)))
  const timers = startTimers(query, {
    ping: () => sendOwn(opcodes.ping, 'are you there'),
    push: (n) => sendOwn(opcodes.text, `tick ${n}`),
    close: (code) => {
      sendOwn(opcodes.close, closePayload(code, 'as asked'))
    },
    drop: () => socket.destroy(),
  })
  socket.on('data', receive)
  socket.on('end', () => socket.end())
  socket.on('close', () => timers.forEach((timer) => clearInterval(timer)))
  if (head.length > 0) receive(head)
}

interface Actions {
  ping(): void
  push(n: number): void
  close(code: number): void
  drop(): void
}

function startTimers(query: URLSearchParams, actions: Actions): NodeJS.Timeout[] {
  const timers: NodeJS.Timeout[] = []
  let n = 0
  if (query.has('ping')) timers.push(setInterval(() => actions.ping(), atLeastOne(query, 'ping')))
  if (query.has('push')) {
    timers.push(setInterval(() => actions.push((n += 1)), atLeastOne(query, 'push')))
  }
  const after = numberOf(query, 'after', 0)
  if (query.has('close')) {
    timers.push(setTimeout(() => actions.close(numberOf(query, 'close', 1000)), after))
  }
  if (query.has('drop')) timers.push(setTimeout(() => actions.drop(), after))
  return timers
}

function atLeastOne(query: URLSearchParams, name: string): number {
  return Math.max(1, numberOf(query, name, 1_000))
}
