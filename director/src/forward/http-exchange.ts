// One request to a workspace and its answer, streamed both ways. A class because undici takes its handler as one object:
// no closures per chunk, and the whole state of an exchange in one place. The caller decides about a retry.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { pairs } from '../headers/raw-headers.ts'
import { malformedAnswer } from './malformed-answer.ts'
import { writeAnswerHead } from './answer-head.ts'
import {
  AnswerTimeout,
  type ForwardCounts,
  type ForwardHooks,
  type ForwardOutcome,
} from './outcome.ts'
import type { EndAnswer } from './page-end.ts'
import { createRequestBody, hasBody, type RequestBody } from './request-body.ts'

export interface ExchangeOptions {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  readonly requestId: string
  readonly hooks: ForwardHooks
  readonly toClient: (rawHeaders: readonly string[]) => string[]
  readonly endAnswer?: EndAnswer | undefined
  /** From the moment a connection has the request until the head of the final answer; upload progress restarts it. */
  readonly answerTimeoutMs: number
  readonly expectContinue: boolean
  /** Whether `unanswered` may be its end. */
  readonly mayRepeat: boolean
  readonly finish: (outcome: ExchangeOutcome) => void
}

/** The connection ended before the head of an answer, or that head is malformed, and the same request may be sent again: nothing else is different. */
interface Unanswered extends ForwardCounts {
  readonly kind: 'unanswered'
  readonly cause: Error
}

export type ExchangeOutcome = ForwardOutcome | Unanswered

/** How long a client may continue to send, or leave an answer unread, after the exchange has ended. */
const graceMs = 30_000
/** Further interim answers of a workspace are dropped: they have no backpressure. */
const interimLimit = 32

export class HttpExchange implements Dispatcher.DispatchHandler {
  readonly #options: ExchangeOptions
  readonly #body: RequestBody | undefined
  #controller: Dispatcher.DispatchController | undefined
  #timer: NodeJS.Timeout | undefined
  /** Bytes may have left for the workspace. */
  #sent = false
  #finished = false
  #ended = false
  #status = 0
  /** The answer has a Content-Length. */
  #sized = false
  /** Follows the last byte of the answer. */
  #end: Buffer | undefined
  #interim = 0
  #bytesIn = 0
  #bytesOut = 0
  #drained = 0

  /** The body for undici to send. */
  get body(): Readable | null {
    return this.#body?.stream ?? null
  }

  constructor(options: ExchangeOptions) {
    this.#options = options
    const { req, res } = options
    this.#body = hasBody(req.rawHeaders) ? createRequestBody(req, this.#onRequestBytes) : undefined
    res.on('close', this.#onClientClose)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    const { res, expectContinue, answerTimeoutMs } = this.#options
    if (this.#finished) {
      controller.abort(new Error('the client went away'))
      return
    }
    this.#controller = controller
    if (answerTimeoutMs > 0) this.#timer = setTimeout(this.#onTimeout, answerTimeoutMs)
    if (expectContinue) res.writeContinue()
  }

  /** A chunk of the request's body is about to be passed on. */
  readonly #onRequestBytes = (bytes: number): void => {
    this.#sent = true
    this.#bytesIn += bytes
    this.#timer?.refresh()
    this.#options.hooks.onUse?.(bytes)
  }

  /** Called at once without a body. With a body, undici sends nothing before its first chunk. */
  onRequestSent(): void {
    this.#sent = true
    this.#timer?.refresh()
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    message?: string,
  ): void {
    const { req, res, requestId, hooks, toClient, endAnswer } = this.#options
    const scrubbed = toClient(rawStrings(controller.rawHeaders))
    if (status < 200) {
      this.#interim += 1
      const passes = req.httpVersionMinor > 0 && status >= 100 && this.#interim <= interimLimit
      if (passes) res.writeInformation(status, scrubbed)
      return
    }
    clearTimeout(this.#timer)
    this.#timer = undefined
    const ending = endAnswer?.(status, scrubbed)
    this.#end = ending?.bytes
    const headers = ending?.headers ?? scrubbed
    this.#sized = writeAnswerHead(req, res, { status, message, headers, requestId })
    this.#status = status
    hooks.onAnswer?.()
    res.on('drain', this.#onDrain)
    process.nextTick(this.#flushHead)
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytesOut += chunk.length
    if (!this.#options.res.write(chunk, this.#onFlushed)) controller.pause()
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    const { res } = this.#options
    this.#ended = true
    if (this.#end !== undefined) {
      this.#bytesOut += this.#end.length
      res.write(this.#end, this.#onFlushed)
    }
    // Trailers can only follow chunks.
    if (res.chunkedEncoding) {
      const trailers = pairs(this.#options.toClient(rawStrings(controller.rawTrailers)))
      if (trailers.length > 0) res.addTrailers(trailers)
    }
    res.once('finish', this.#onResponseFinish)
    res.end()
    this.#body?.discard(graceMs)
  }

  onResponseError(_controller: unknown, error: Error): void {
    if (this.#finished) return
    if (this.#status === 0) {
      this.#finishUnanswered(error)
      return
    }
    const { res } = this.#options
    const cause = malformedAnswer(error) ?? error
    this.#finish({ kind: 'cut', status: this.#status, cause, ...this.#counts() })
    this.#body?.discard(graceMs)
    cutOff(res, this.#sized)
  }

  #finishUnanswered(cause: Error): void {
    const counts = this.#counts()
    if (!this.#sent && !isInvalid(cause)) {
      this.#finish({ kind: 'not-sent', cause, ...counts })
      return
    }
    const malformed = malformedAnswer(cause)
    const ended = isConnectionEnd(cause) || malformed !== undefined
    if (this.#options.mayRepeat && this.#interim === 0 && ended) {
      this.#finish({ kind: 'unanswered', cause, ...counts })
      return
    }
    this.#body?.discard(graceMs)
    if (malformed !== undefined)
      this.#finish({ kind: 'failed', code: 'answer_malformed', cause: malformed, ...counts })
    else if (isInvalid(cause))
      this.#finish({ kind: 'failed', code: 'bad_request', cause, ...counts })
    else if (cause instanceof AnswerTimeout)
      this.#finish({ kind: 'failed', code: 'workspace_timeout', cause, ...counts })
    else this.#finish({ kind: 'failed', code: 'workspace_unreachable', cause, ...counts })
  }

  #finish(outcome: ExchangeOutcome): void {
    if (this.#finished) return
    this.#finished = true
    clearTimeout(this.#timer)
    const { res, finish } = this.#options
    res.off('close', this.#onClientClose)
    res.off('drain', this.#onDrain)
    finish(outcome)
  }

  #counts(): ForwardCounts {
    return { bytesIn: this.#bytesIn, bytesOut: this.#bytesOut }
  }

  readonly #onTimeout = (): void => {
    this.#controller?.abort(new AnswerTimeout())
  }

  readonly #onDrain = (): void => {
    this.#controller?.resume()
  }

  /** Node holds a head until the first byte of the body. In an event stream that byte may come much later. */
  readonly #flushHead = (): void => {
    if (this.#bytesOut === 0 && !this.#ended && !this.#finished) this.#options.res.flushHeaders()
  }

  readonly #onFlushed = (error?: Error | null): void => {
    if (error) return
    const { res, hooks } = this.#options
    const drained = Math.max(this.#drained, this.#bytesOut - res.writableLength)
    if (drained > this.#drained) hooks.onDrained?.(drained - this.#drained)
    this.#drained = drained
  }

  readonly #onResponseFinish = (): void => {
    this.#finish({ kind: 'answered', status: this.#status, ...this.#counts() })
  }

  readonly #onClientClose = (): void => {
    const status = this.#status === 0 ? {} : { status: this.#status }
    this.#finish({ kind: 'client-gone', ...status, ...this.#counts() })
    this.#controller?.abort(new Error('the client went away'))
  }
}

/** undici hands over raw bytes; latin1 keeps each of them. */
function rawStrings(raw: Dispatcher.DispatchController['rawHeaders']): string[] {
  if (!Array.isArray(raw)) return []
  return raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')))
}

/** undici rejected the request itself; another seat would not change that. */
function isInvalid(error: Error): boolean {
  return (
    'code' in error &&
    (error.code === 'UND_ERR_INVALID_ARG' || error.code === 'UND_ERR_NOT_SUPPORTED')
  )
}

function isConnectionEnd(error: Error): boolean {
  return 'code' in error && ['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE'].includes(String(error.code))
}

/** Ends the client's connection so that no client reads the answer as complete. The received bytes are still delivered. */
function cutOff(res: ServerResponse, sized: boolean): void {
  const { socket } = res
  if (socket === null) {
    res.destroy()
    return
  }
  // An answer without length and chunks ends with the connection: after a plain close it would look complete.
  if (!sized && !res.chunkedEncoding) {
    socket.resetAndDestroy()
    return
  }
  const timer = setTimeout(() => socket.destroy(), graceMs)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  socket.destroySoon()
}
