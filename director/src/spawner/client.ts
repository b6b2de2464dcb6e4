// The spawner as the director calls it: each call has a deadline, each answer is checked, each failure is a value.
import type { LookupFunction } from 'node:net'
import type { Duplex } from 'node:stream'
import { abortAfter } from '@berth/shared/deadline'
import type { Log } from '@berth/shared/log'
import {
  activityAnswerSchema,
  internalPaths,
  loginAnswerSchema,
  problemSchema,
  seatAnswerSchema,
  sessionProtocol,
  keyAnswerSchema,
  terminalSignInHoldMs,
  terminalSignInSchema,
  terminalSignInStateSchema,
  type ActivityAnswer,
  type ActivityCheckResult,
  type ActivityReport,
  type KeyRequest,
  type LoginAnswer,
  type LoginRequest,
  type ProbeResult,
  type SeatAnswer,
  type SeatRequest,
  type SshServerRequest,
  type TerminalSignInAnswer,
  type TerminalSignInRequest,
  type TerminalSignInState,
  type UseReport,
} from '@berth/shared/contract'
import { problemMediaType, type Problem } from '@berth/shared/problems'
import { requestIdHeader } from '@berth/shared/request-id'
import type { Secret } from '@berth/shared/secret'
import { Pool, type Dispatcher } from 'undici'
import { createLookupFallback } from './lookup-fallback.ts'

/** What a call for a seat ends with where it does not end with the contract's `SeatAnswer`. */
export type SeatFailure =
  | { readonly status: 'refused'; readonly problem: Problem }
  /** The spawner could not be reached, or its answer makes no sense: nothing is known about the seat. */
  | {
      readonly status: 'unreachable'
      readonly cause: unknown
      /** No answer came in time: the spawner may be there, on a machine that has much to do. */
      readonly late?: boolean
    }

export interface Spawner extends AsyncDisposable {
  /** The spawner holds the call for up to `waitMs`. Never rejects. */
  readonly requestSeat: (
    request: Omit<SeatRequest, 'director' | 'protocol'> & Partial<Pick<SeatRequest, 'protocol'>>,
    signal: AbortSignal,
    requestId: string,
  ) => Promise<SeatAnswer | SeatFailure>
  /** Asks which template a person may use who proved their name by a key. Never rejects. */
  readonly login: (
    request: Omit<LoginRequest, 'director'>,
    signal: AbortSignal,
  ) => Promise<{ readonly status: 'known'; readonly answer: LoginAnswer } | SeatFailure>
  /** Whether the SSH server in a container is the one that it was. Then it admits this director. Never rejects. */
  readonly checkServer: (
    request: Omit<SshServerRequest, 'director'>,
    signal: AbortSignal,
  ) => Promise<{ readonly status: 'known' } | SeatFailure>
  /** Whether a key that a person has registered admits them. Never rejects: it does not where the spawner cannot be asked. */
  readonly admitsKey: (
    request: Omit<KeyRequest, 'director'>,
    signal: AbortSignal,
  ) => Promise<boolean>
  /** Asks for a page on which a person confirms a sign-in from a terminal. Never rejects. */
  readonly beginSignIn: (
    request: Omit<TerminalSignInRequest, 'director'>,
    signal: AbortSignal,
  ) => Promise<({ readonly status: 'begun' } & TerminalSignInAnswer) | SeatFailure>
  /** Holds the answer while the person has not decided. @returns `undefined` if the spawner does not answer */
  readonly signInState: (
    code: string,
    signal: AbortSignal,
  ) => Promise<TerminalSignInState | undefined>
  readonly endSignIn: (code: string) => Promise<void>
  /** @throws when the connection for a session cannot be opened */
  readonly openSession: (signal: AbortSignal) => Promise<Duplex>
  /** @returns `undefined` when the report did not arrive */
  readonly reportActivity: (
    seats: ActivityReport['seats'],
    signal: AbortSignal,
  ) => Promise<ActivityAnswer['leases'] | undefined>
  /** @returns whether the result arrived */
  readonly postProbeResult: (
    result: Omit<ProbeResult, 'director'>,
    signal: AbortSignal,
  ) => Promise<boolean>
  /** @returns whether the result arrived */
  readonly postActivityCheckResult: (
    result: Omit<ActivityCheckResult, 'director'>,
    signal: AbortSignal,
  ) => Promise<boolean>
  /** @returns whether the report arrived */
  readonly postUseReport: (
    report: Omit<UseReport, 'director'>,
    signal: AbortSignal,
  ) => Promise<boolean>
  /** @throws when the stream cannot be opened */
  readonly openCommands: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>
  /** For requests that pass through to the spawner: its connections, and the header that authenticates the director. */
  readonly dispatcher: Dispatcher
  readonly authorization: readonly [name: string, value: string]
}

export interface SpawnerDeps {
  readonly origin: string
  readonly secret: Secret
  /** The host name of this director. */
  readonly director: string
  readonly log: Log
  readonly lookup?: LookupFunction
}

const connectMs = 1_000
/** How much longer than `waitMs` a held answer may take. */
export const answerGraceMs = 2_000
const reportDeadlineMs = 5_000
/** The spawner may have to write into a volume first. */
const serverDeadlineMs = 15_000
const wrongSecret =
  'the spawner refused this director: set the same INTERNAL_SECRET for the director and the spawner'

export function createSpawner(deps: SpawnerDeps): Spawner {
  const { origin, secret, director, log } = deps
  // Each held call occupies a connection. The number of people bounds their number, so no bound is set here.
  const pool = new Pool(origin, {
    connections: null,
    connect: { timeout: connectMs, lookup: createLookupFallback(deps.lookup) },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4_000,
  })
  const authorization = ['authorization', `Bearer ${secret.reveal()}`] as const

  async function post(
    path: string,
    body: unknown,
    signal: AbortSignal,
    deadlineMs: number,
    headers: Record<string, string> = {},
  ) {
    return pool.request({
      method: 'POST',
      path,
      headers: {
        ...headers,
        'content-type': 'application/json',
        [authorization[0]]: authorization[1],
      },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, abortAfter(deadlineMs)]),
    })
  }

  async function postSeatRequest(
    request: SeatRequest,
    signal: AbortSignal,
    requestId: string,
  ): Promise<SeatAnswer | SeatFailure> {
    const deadlineMs = request.waitMs + answerGraceMs
    const headers = { [requestIdHeader]: requestId }
    const answer = await post(internalPaths.seats, request, signal, deadlineMs, headers)
    const body: unknown = await answer.body.json()
    if (answer.statusCode === 200 || answer.statusCode === 202) return seatAnswerSchema.parse(body)
    return { status: 'refused', problem: refusalIn(answer, body) }
  }

  async function postResult(path: string, result: object, signal: AbortSignal): Promise<boolean> {
    try {
      const answer = await post(path, result, signal, reportDeadlineMs)
      await answer.body.dump()
      return answer.statusCode < 300
    } catch (error) {
      if (!signal.aborted) log.warn({ path, error }, 'result could not be sent to the spawner')
      return false
    }
  }

  return {
    dispatcher: pool,
    authorization,

    async requestSeat(request, signal, requestId) {
      const whole: SeatRequest = { director, protocol: 'http', ...request }
      try {
        // A seat request may be sent twice. A kept-alive connection that the spawner has just closed is no outage.
        return await postSeatRequest(whole, signal, requestId).catch((error: unknown) => {
          if (!isClosedConnection(error) || signal.aborted) throw error
          return postSeatRequest(whole, signal, requestId)
        })
      } catch (cause) {
        return { status: 'unreachable', cause, late: isLate(cause) }
      }
    },

    async login(request, signal) {
      try {
        const whole: LoginRequest = { director, ...request }
        const answer = await post(internalPaths.logins, whole, signal, reportDeadlineMs)
        const body: unknown = await answer.body.json()
        if (answer.statusCode === 200)
          return { status: 'known', answer: loginAnswerSchema.parse(body) }
        return { status: 'refused', problem: refusalIn(answer, body) }
      } catch (cause) {
        return { status: 'unreachable', cause, late: isLate(cause) }
      }
    },

    async checkServer(request, signal) {
      try {
        const whole: SshServerRequest = { director, ...request }
        const answer = await post(internalPaths.sshServers, whole, signal, serverDeadlineMs)
        const body: unknown = await answer.body.json()
        if (answer.statusCode === 200) return { status: 'known' }
        return { status: 'refused', problem: refusalIn(answer, body) }
      } catch (cause) {
        return { status: 'unreachable', cause, late: isLate(cause) }
      }
    },

    async admitsKey(request, signal) {
      try {
        const whole: KeyRequest = { director, ...request }
        const answer = await post(internalPaths.keys, whole, signal, reportDeadlineMs)
        const body: unknown = await answer.body.json()
        if (answer.statusCode !== 200) throw unexpectedStatus(answer)
        return keyAnswerSchema.parse(body).admits
      } catch (error) {
        if (!signal.aborted) log.warn({ error }, 'the spawner could not be asked for a key')
        return false
      }
    },

    async beginSignIn(request, signal) {
      try {
        const whole: TerminalSignInRequest = { director, ...request }
        const answer = await post(internalPaths.terminalSignIns, whole, signal, reportDeadlineMs)
        const body: unknown = await answer.body.json()
        if (answer.statusCode === 201)
          return { status: 'begun', ...terminalSignInSchema.parse(body) }
        return { status: 'refused', problem: refusalIn(answer, body) }
      } catch (cause) {
        return { status: 'unreachable', cause, late: isLate(cause) }
      }
    },

    async signInState(code, signal) {
      try {
        const answer = await pool.request({
          method: 'GET',
          path: internalPaths.terminalSignIn(code),
          headers: { [authorization[0]]: authorization[1] },
          signal: AbortSignal.any([signal, abortAfter(terminalSignInHoldMs + answerGraceMs)]),
        })
        const body: unknown = await answer.body.json()
        return terminalSignInStateSchema.parse(body).state
      } catch (error) {
        if (!signal.aborted) log.warn({ error }, 'the spawner could not be asked for a sign-in')
        return undefined
      }
    },

    async endSignIn(code) {
      try {
        const answer = await pool.request({
          method: 'DELETE',
          path: internalPaths.terminalSignIn(code),
          headers: { [authorization[0]]: authorization[1] },
          signal: abortAfter(reportDeadlineMs),
        })
        await answer.body.dump()
      } catch (error) {
        // It ends by itself.
        log.debug({ error }, 'the end of a sign-in could not be told to the spawner')
      }
    },

    async openSession(signal) {
      const { socket } = await pool.upgrade({
        path: internalPaths.sessions,
        protocol: sessionProtocol,
        headers: [...authorization],
        signal: AbortSignal.any([signal, abortAfter(reportDeadlineMs)]),
      })
      return socket
    },

    async reportActivity(seats, signal) {
      try {
        const report: ActivityReport = { director, seats: [...seats] }
        const answer = await post(internalPaths.activity, report, signal, reportDeadlineMs)
        const body: unknown = await answer.body.json()
        if (answer.statusCode !== 200) throw unexpectedStatus(answer)
        return activityAnswerSchema.parse(body).leases
      } catch (error) {
        if (!signal.aborted) log.warn({ error }, 'activity could not be reported to the spawner')
        return undefined
      }
    },

    postProbeResult: (result, signal) =>
      postResult(internalPaths.probeResults, { director, ...result } satisfies ProbeResult, signal),

    postActivityCheckResult: (result, signal) =>
      postResult(
        internalPaths.activityCheckResults,
        { director, ...result } satisfies ActivityCheckResult,
        signal,
      ),

    postUseReport: (report, signal) =>
      postResult(internalPaths.useReports, { director, ...report } satisfies UseReport, signal),

    async openCommands(signal) {
      const answer = await pool.request({
        method: 'GET',
        path: internalPaths.commands(director),
        headers: { accept: 'text/event-stream', [authorization[0]]: authorization[1] },
        signal,
      })
      if (answer.statusCode === 200) return answer.body
      await answer.body.dump()
      throw answer.statusCode === 401 ? new Error(wrongSecret) : unexpectedStatus(answer)
    },

    async [Symbol.asyncDispose]() {
      await pool.destroy()
    },
  }
}

/** @throws unless the answer refuses something to the person */
function refusalIn(
  answer: Pick<Dispatcher.ResponseData, 'statusCode' | 'headers'>,
  body: unknown,
): Problem {
  // The spawner refuses the director, not the person: the person is told that nothing can be started.
  if (answer.statusCode === 401) throw new Error(wrongSecret)
  const isProblem = String(answer.headers['content-type']).startsWith(problemMediaType)
  if (!isProblem) throw unexpectedStatus(answer)
  const problem = problemSchema.parse(body) as Problem
  if (problem.code === 'shutting_down') throw new Error('the spawner is shutting down')
  return problem
}

function unexpectedStatus({ statusCode }: { readonly statusCode: number }): Error {
  return new Error(`the spawner answered with the unexpected status ${statusCode}`)
}

function isLate(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : undefined
  return error.name === 'TimeoutError' || code === 'UND_ERR_CONNECT_TIMEOUT'
}

function isClosedConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET'
}
