// The WebSocket handshake with a workspace, by http-proxy-3. It takes over the socket that it gets, so it gets a stand-in
// for the client's socket. The socket that it opens to the workspace is handed over without its pipes.
import type { ClientRequest, IncomingMessage } from 'node:http'
import { isIP, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Address } from '@berth/shared/contract'
import { createProxyServer } from 'http-proxy-3'
import { eachHeader } from '../headers/raw-headers.ts'
import { malformedAnswer } from './malformed-answer.ts'
import { AnswerTimeout, type ClientGone, type Failed, type NotSent } from './outcome.ts'
import { watchHangUp } from './watch-hang-up.ts'

export interface Handshake {
  readonly req: IncomingMessage
  readonly socket: Socket
  readonly address: Address
  readonly target: string
  readonly headers: readonly string[]
  readonly answerTimeoutMs: number
}

export type HandshakeResult =
  | { readonly kind: 'switched'; readonly answer: IncomingMessage; readonly workspace: Duplex }
  | { readonly kind: 'refused'; readonly answer: IncomingMessage }
  | NotSent
  | Failed
  | ClientGone

/** Discards what http-proxy-3 writes to the client, and gives it nothing to read. */
class StandIn extends Socket {
  begun: ((request: ClientRequest) => void) | undefined

  override _write(_chunk: unknown, _encoding: string, done: () => void): void {
    done()
  }

  override _read(): void {}
}

const empty = Buffer.alloc(0)

export function createHandshaker(connectTimeoutMs: number) {
  const proxy = createProxyServer({ ws: true, prependPath: false, toProxy: true })
  const opened = new WeakMap<Duplex, () => void>()
  proxy.on('proxyReqWs', (request, _req, socket) => {
    if (socket instanceof StandIn) socket.begun?.(request)
  })
  proxy.on('open', (workspace) => opened.get(workspace)?.())

  /** Calls `report` once, synchronously with the answer, so that no bytes after it are lost. */
  return (handshake: Handshake, report: (result: HandshakeResult) => void): void => {
    const { req, socket, address, headers, answerTimeoutMs } = handshake
    if (isIP(address.host) === 0) throw new TypeError('an address of a workspace is an IP address')
    const hangUp = watchHangUp(socket)
    if (hangUp.signal.aborted) {
      hangUp[Symbol.dispose]()
      report({ kind: 'client-gone' })
      return
    }
    let done = false
    let sent = false
    const isSecure = address.scheme === 'https'
    let connecting: NodeJS.Timeout | undefined
    let timer: NodeJS.Timeout | undefined
    let request: ClientRequest | undefined

    function finish(result: HandshakeResult): void {
      if (done) return
      done = true
      clearTimeout(connecting)
      clearTimeout(timer)
      hangUp[Symbol.dispose]()
      report(result)
    }
    function onHangUp(): void {
      finish({ kind: 'client-gone' })
      request?.destroy()
    }
    function refuse(cause: Error): void {
      finish({ kind: 'failed', code: 'bad_request', cause })
    }
    function onError(cause: Error): void {
      const malformed = malformedAnswer(cause)
      if (!sent) finish({ kind: 'not-sent', cause })
      else if (malformed !== undefined)
        finish({ kind: 'failed', code: 'answer_malformed', cause: malformed })
      else if (cause instanceof AnswerTimeout)
        finish({ kind: 'failed', code: 'workspace_timeout', cause })
      else finish({ kind: 'failed', code: 'workspace_unreachable', cause })
    }

    const standIn = new StandIn()
    // http-proxy-3 only closes the socket when the request is not a WebSocket handshake.
    standIn.once('close', () => refuse(new Error('the request is not a WebSocket handshake')))
    standIn.begun = (outgoing) => {
      request = outgoing
      outgoing.path = handshake.target
      const connected = isSecure ? 'secureConnect' : 'connect'
      // http-proxy-3's own `connectTimeout` ends with the TCP connection, before the TLS handshake.
      connecting = setTimeout(() => {
        outgoing.destroy(new Error(`no connection within ${connectTimeoutMs} ms`))
      }, connectTimeoutMs)
      outgoing.once('socket', (connection) =>
        connection.once(connected, () => {
          sent = true
          clearTimeout(connecting)
        }),
      )
      // Runs before http-proxy-3's own listener, which then finds its client gone and does not read the answer.
      outgoing.once('response', (answer) => {
        standIn.destroy()
        if (isStatus(answer.statusCode)) {
          finish({ kind: 'refused', answer })
          return
        }
        onError(new Error(`the workspace answered with status ${answer.statusCode}`))
        outgoing.destroy()
      })
      outgoing.once('upgrade', (answer, workspace) => {
        opened.set(workspace, () => {
          workspace.unpipe(standIn)
          standIn.unpipe(workspace)
          finish({ kind: 'switched', answer, workspace })
        })
      })
      if (answerTimeoutMs > 0)
        timer = setTimeout(() => outgoing.destroy(new AnswerTimeout()), answerTimeoutMs)
    }

    hangUp.signal.addEventListener('abort', onHangUp)
    const view = Object.create(req, {
      headers: { value: handshakeHeaders(headers, req.headers.upgrade) },
    }) as IncomingMessage
    const { host, port } = address
    const target = { protocol: isSecure ? 'https:' : 'http:', host, hostname: host, port }
    // The certificate is not verified: the address leads into the network of one container.
    const options = { target, secure: false }
    proxy.ws(view, standIn, empty, options, onError)
  }
}

/** Node reads any three digits as a status, and throws when it has to write one below 100. */
function isStatus(status: number | undefined): boolean {
  return status !== undefined && status >= 200
}

/** For http-proxy-3: `connection` and `upgrade` in lower case. The rest keeps its case, and several of a name their order. */
function handshakeHeaders(
  raw: readonly string[],
  protocol = '',
): Record<string, string | string[]> {
  const spellings = new Map<string, string>()
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string>
  eachHeader(raw, (name, value, spelling) => {
    const first = spellings.get(name) ?? spelling
    spellings.set(name, first)
    const before = headers[first]
    headers[first] = before === undefined ? value : [before, value].flat()
  })
  headers['connection'] = 'Upgrade'
  headers['upgrade'] = protocol
  return headers
}
