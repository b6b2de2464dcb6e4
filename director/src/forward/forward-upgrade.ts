// Sends one WebSocket handshake to a workspace and joins the two sockets once it is accepted. http-proxy-3 does the
// handshake. It does not get the client's socket, so that another seat can be tried after a failure.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Address } from '@berth/shared/contract'
import { pairs } from '../headers/raw-headers.ts'
import { createHandshaker, type HandshakeResult } from './handshake.ts'
import { writeAnswerHead } from './answer-head.ts'
import type { ClientGone, Cut, Failed, ForwardCounts, NotSent } from './outcome.ts'
import { createSocketResponse } from './socket-response.ts'
import { connect, type UpgradedConnection, type UpgradeHooks } from './upgraded-connection.ts'

export interface ForwardUpgrade {
  readonly req: IncomingMessage
  /** The caller has given it an error handler. */
  readonly socket: Socket
  readonly head: Buffer
  /** An IP address, checked. */
  readonly address: Address
  /** Path and query, byte for byte. */
  readonly target: string
  /** For the answer. */
  readonly requestId: string
  /** Scrubbed, without `Connection` and `Upgrade`: the forwarder adds those. */
  readonly headers: readonly string[]
  readonly toClient: (rawHeaders: readonly string[]) => string[]
  /** Until the answer to the handshake; 0 is off. */
  readonly answerTimeoutMs: number
  readonly hooks: UpgradeHooks
}

export type UpgradeOutcome =
  | { readonly kind: 'open'; readonly connection: UpgradedConnection }
  /** The workspace refused the upgrade. Its answer was passed on whole, and the client's socket has ended. */
  | ({ readonly kind: 'answered'; readonly status: number } & ForwardCounts)
  | Cut
  | NotSent
  | Failed
  | ClientGone

/** Never rejects. After `not-sent` and `failed` the socket and the head are unchanged. */
export type UpgradeForwarder = (options: ForwardUpgrade) => Promise<UpgradeOutcome>

export function createUpgradeForwarder(
  limits: { readonly connectTimeoutMs?: number } = {},
): UpgradeForwarder {
  const handshake = createHandshaker(limits.connectTimeoutMs ?? 1_000)

  return (options) =>
    new Promise((resolve) => {
      handshake(options, (result) => {
        switch (result.kind) {
          case 'switched':
            resolve({ kind: 'open', connection: open(options, result) })
            return
          case 'refused':
            passOn(options, result.answer, resolve)
            return
          default:
            resolve(result)
        }
      })
    })
}

function open(
  { socket, head, requestId, hooks, toClient }: ForwardUpgrade,
  { answer, workspace }: Extract<HandshakeResult, { kind: 'switched' }>,
): UpgradedConnection {
  hooks.onAnswer?.()
  socket.setTimeout(0)
  socket.setNoDelay(true)
  const lines = [`HTTP/1.1 101 ${answer.statusMessage ?? ''}`, 'Connection: Upgrade']
  lines.push(`Upgrade: ${answer.headers.upgrade ?? 'websocket'}`)
  for (const [name, value] of pairs(toClient(answer.rawHeaders))) lines.push(`${name}: ${value}`)
  lines.push(`X-Request-Id: ${requestId}`)
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
  if (head.length > 0) socket.unshift(head)
  return connect({ client: socket, workspace, hooks })
}

function passOn(
  { req, socket, requestId, hooks, toClient }: ForwardUpgrade,
  answer: IncomingMessage,
  resolve: (outcome: UpgradeOutcome) => void,
): void {
  hooks.onAnswer?.()
  const status = answer.statusCode ?? 502
  const res = createSocketResponse(req, socket)
  const headers = toClient(answer.rawHeaders)
  writeAnswerHead(req, res, { status, message: answer.statusMessage, headers, requestId })
  let bytesOut = 0
  answer.on('data', (chunk: Buffer) => {
    bytesOut += chunk.length
  })
  answer.on('error', (cause) => {
    resolve({ kind: 'cut', status, cause, bytesIn: 0, bytesOut })
    socket.destroy()
  })
  res.once('finish', () => resolve({ kind: 'answered', status, bytesIn: 0, bytesOut }))
  socket.once('close', () => {
    resolve({ kind: 'client-gone', status })
    answer.destroy()
  })
  answer.pipe(res)
}
