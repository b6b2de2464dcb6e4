// The access log: one line for each request and each WebSocket that has ended. Queries are left out: they carry tokens.
import type { Clock } from '@berth/shared/clock'
import { bounded, type Log } from '@berth/shared/log'
import type { ProblemCode } from '@berth/shared/problems'
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
  readonly method: string
  readonly target: string
  readonly protocol: Protocol
  readonly startedAt: number
  user?: string
  workspace?: string | undefined
}

export interface AccessLog {
  begin(
    request: { method?: string | undefined; url?: string | undefined },
    protocol: Protocol,
  ): Entry
  end(entry: Entry, ending: Ending): void
}

export const clientGoneStatus = 499
/** The client went away while its request waited. */
export const clientGone: Ending = {
  outcome: 'client_gone',
  status: clientGoneStatus,
  bytesIn: 0,
  bytesOut: 0,
}
const pathLimit = 256

/** The ending of a refused request, with what is logged about the refusal. */
export function withReason(ending: Ending, { logged }: { readonly logged?: string }): Ending {
  return logged === undefined ? ending : { ...ending, cause: { message: logged } }
}

export function createAccessLog(deps: { log: Log; clock: Clock; metrics: Metrics }): AccessLog {
  const { log, clock, metrics } = deps
  return {
    begin({ method = '', url: target = '' }, protocol) {
      metrics.opened(protocol)
      return { method, target, protocol, startedAt: clock.now() }
    },
    end({ method, target, protocol, startedAt, user, workspace }, ending) {
      metrics.closed(protocol)
      metrics.ended(protocol, ending.outcome)
      const query = target.indexOf('?')
      log.info(
        {
          user: user === undefined ? undefined : bounded(user),
          workspace,
          method: bounded(method, 32),
          path: bounded(query === -1 ? target : target.slice(0, query), pathLimit),
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
    },
  }
}
