// The access log: one line for each request and each WebSocket that has ended. Queries are left out: they carry tokens.
// Every other line about a request has the same `requestId`.
import type { IncomingMessage } from 'node:http'
import type { Clock } from '@berth/shared/clock'
import { bounded, type Log } from '@berth/shared/log'
import type { ProblemCode } from '@berth/shared/problems'
import type { IdentifyRequest } from '../identity/request-id.ts'
import { pathOf } from '../routing/path-prefix.ts'
import type { Metrics, RequestOutcome, Protocol } from './metrics.ts'

export interface Ending {
  readonly outcome: RequestOutcome
  /** 499 when the client went away before an answer. */
  readonly status: number
  readonly bytesIn: number
  readonly bytesOut: number
  /** Why it was refused or failed. */
  readonly code?: ProblemCode
  /** The underlying error, or what an administrator has to know. */
  readonly cause?: Pick<Error, 'message'>
}

/** What is known about a request so far. It is filled in while the request is served. */
export interface Entry {
  readonly requestId: string
  readonly method: string
  readonly target: string
  readonly protocol: Protocol
  readonly startedAt: number
  user?: string
  workspace?: string | undefined
  /** The person as whom an administrator sends it. */
  as?: string | undefined
}

export interface AccessLog {
  /**
   * Writes the line of the request when it has been served.
   *
   * @returns how it ended. Never rejects: a fault while it is served is logged, and is `faulty`
   */
  record(
    request: Pick<IncomingMessage, 'method' | 'url' | 'rawHeaders'>,
    protocol: Protocol,
    serve: (entry: Entry) => Promise<Ending>,
  ): Promise<Ending>
}

export const clientGoneStatus = 499
/** The client went away while its request waited. */
export const clientGone: Ending = {
  outcome: 'client_gone',
  status: clientGoneStatus,
  bytesIn: 0,
  bytesOut: 0,
}
/** A fault of the director. Its connection ends without an answer. */
export const faulty: Ending = { outcome: 'failed', status: 500, bytesIn: 0, bytesOut: 0 }
const pathLimit = 256

/** The ending of a refused request, with what is logged about the refusal. */
export function withReason(ending: Ending, { logged }: { readonly logged?: string }): Ending {
  return logged === undefined ? ending : { ...ending, cause: { message: logged } }
}

export function createAccessLog(deps: {
  log: Log
  clock: Clock
  metrics: Metrics
  identifyRequest: IdentifyRequest
}): AccessLog {
  const { log, clock, metrics, identifyRequest } = deps

  function end(entry: Entry, ending: Ending): void {
    const { requestId, method, target, protocol, startedAt, user, as, workspace } = entry
    metrics.closed(protocol)
    metrics.ended(protocol, ending.outcome)
    log.info(
      {
        requestId,
        user: user === undefined ? undefined : bounded(user),
        as: as === undefined ? undefined : bounded(as),
        workspace,
        method: bounded(method, 32),
        path: bounded(pathOf(target), pathLimit),
        status: ending.status,
        outcome: ending.outcome,
        code: ending.code,
        cause: ending.cause === undefined ? undefined : bounded(ending.cause.message),
        bytesIn: ending.bytesIn,
        bytesOut: ending.bytesOut,
        ms: Math.round((clock.now() - startedAt) * 10) / 10,
        upgrade: protocol === 'websocket',
      },
      'request ended',
    )
  }

  return {
    async record({ method = '', url: target = '', rawHeaders }, protocol, serve) {
      metrics.opened(protocol)
      const requestId = identifyRequest(rawHeaders)
      const entry: Entry = { requestId, method, target, protocol, startedAt: clock.now() }
      const ending = await serve(entry).catch((error: unknown): Ending => {
        log.error({ requestId, error }, 'serving a request failed')
        return faulty
      })
      end(entry, ending)
      return ending
    },
  }
}
