// The spawner as the director calls it: each call has a deadline, each answer is checked, each failure is a value.
import type { LookupFunction } from 'node:net'
import type { Log } from '@berth/shared/log'
import {
  activityAnswerSchema,
  internalPaths,
  problemSchema,
  seatAnswerSchema,
  type ActivityAnswer,
  type ActivityReport,
  type AskResult,
  type ProbeResult,
  type SeatAnswer,
  type SeatRequest,
} from '@berth/shared/contract'
import { problemMediaType, type Problem } from '@berth/shared/problems'
import type { Secret } from '@berth/shared/secret'
import { Pool, type Dispatcher } from 'undici'
import { createLastingLookup } from './lasting-lookup.ts'

export type SeatQuestion = Omit<SeatRequest, 'director' | 'protocol'>

export type SeatOutcome =
  | SeatAnswer
  | { readonly status: 'refused'; readonly problem: Problem }
  /** It could not be asked, or gave no answer that makes sense: nothing is known. */
  | { readonly status: 'unreachable'; readonly cause: unknown }

export interface Spawner extends AsyncDisposable {
  /** Held for up to `waitMs`. Never rejects. */
  readonly askSeat: (question: SeatQuestion, signal: AbortSignal) => Promise<SeatOutcome>
  /** @returns `undefined` when it could not be told */
  readonly reportActivity: (
    seats: ActivityReport['seats'],
    signal: AbortSignal,
  ) => Promise<ActivityAnswer['leases'] | undefined>
  /** @returns whether it arrived */
  readonly postProbeResult: (
    result: Omit<ProbeResult, 'director'>,
    signal: AbortSignal,
  ) => Promise<boolean>
  /** @returns whether it arrived */
  readonly postAskResult: (
    result: Omit<AskResult, 'director'>,
    signal: AbortSignal,
  ) => Promise<boolean>
  /** @throws when the stream cannot be opened */
  readonly openCommands: (signal: AbortSignal) => Promise<AsyncIterable<Uint8Array>>
  /** For what passes through to it: connections, and the header that it knows the director by. */
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
/** How much longer than asked a held answer may take. */
export const answerGraceMs = 2_000
const reportDeadlineMs = 5_000
const wrongSecret = 'the spawner has another INTERNAL_SECRET'

export function createSpawner(deps: SpawnerDeps): Spawner {
  const { origin, secret, director, log } = deps
  // Held calls each occupy a connection, so their number is bounded by people, not here.
  const pool = new Pool(origin, {
    connections: null,
    connect: { timeout: connectMs, lookup: createLastingLookup(deps.lookup) },
    headersTimeout: 0,
    bodyTimeout: 0,
    keepAliveTimeout: 4_000,
  })
  const authorization = ['authorization', `Bearer ${secret.reveal()}`] as const

  async function post(path: string, body: unknown, signal: AbortSignal, deadlineMs: number) {
    return pool.request({
      method: 'POST',
      path,
      headers: { 'content-type': 'application/json', [authorization[0]]: authorization[1] },
      body: JSON.stringify(body),
      signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
    })
  }

  async function seat(question: SeatQuestion, signal: AbortSignal): Promise<SeatOutcome> {
    const body: SeatRequest = { director, protocol: 'http', ...question }
    const deadlineMs = question.waitMs + answerGraceMs
    const answer = await post(internalPaths.seats, body, signal, deadlineMs)
    const said: unknown = await answer.body.json()
    if (answer.statusCode === 200 || answer.statusCode === 202) return seatAnswerSchema.parse(said)
    // It is the director that is refused, not the person: they are told that nothing can be started.
    if (answer.statusCode === 401) throw new Error(wrongSecret)
    const isProblem = String(answer.headers['content-type']).startsWith(problemMediaType)
    if (!isProblem) throw new Error(`the spawner answered ${answer.statusCode}`)
    const problem = problemSchema.parse(said) as Problem
    if (problem.code === 'shutting_down') throw new Error('the spawner is shutting down')
    return { status: 'refused', problem }
  }

  async function tell(path: string, result: object, signal: AbortSignal): Promise<boolean> {
    try {
      const answer = await post(path, result, signal, reportDeadlineMs)
      await answer.body.dump()
      return answer.statusCode < 300
    } catch (error) {
      if (!signal.aborted) log.warn({ path, error }, 'spawner could not be told of a result')
      return false
    }
  }

  return {
    dispatcher: pool,
    authorization,

    async askSeat(question, signal) {
      try {
        // A question may be asked twice: a kept-alive connection that the other side has just closed is no news.
        return await seat(question, signal).catch((error: unknown) => {
          if (!isClosedConnection(error) || signal.aborted) throw error
          return seat(question, signal)
        })
      } catch (cause) {
        return { status: 'unreachable', cause }
      }
    },

    async reportActivity(seats, signal) {
      try {
        const report: ActivityReport = { director, seats: [...seats] }
        const answer = await post(internalPaths.activity, report, signal, reportDeadlineMs)
        const said: unknown = await answer.body.json()
        if (answer.statusCode !== 200) throw new Error(`the spawner answered ${answer.statusCode}`)
        return activityAnswerSchema.parse(said).leases
      } catch (error) {
        if (!signal.aborted) log.warn({ error }, 'spawner could not be told of activity')
        return undefined
      }
    },

    postProbeResult: (result, signal) =>
      tell(internalPaths.probeResults, { director, ...result } satisfies ProbeResult, signal),

    postAskResult: (result, signal) =>
      tell(internalPaths.askResults, { director, ...result } satisfies AskResult, signal),

    async openCommands(signal) {
      const answer = await pool.request({
        method: 'GET',
        path: internalPaths.commands(director),
        headers: { accept: 'text/event-stream', [authorization[0]]: authorization[1] },
        signal,
      })
      if (answer.statusCode === 200) return answer.body
      await answer.body.dump()
      throw new Error(
        answer.statusCode === 401 ? wrongSecret : `the spawner answered ${answer.statusCode}`,
      )
    },

    async [Symbol.asyncDispose]() {
      await pool.destroy()
    },
  }
}

function isClosedConnection(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return code === 'UND_ERR_SOCKET' || code === 'ECONNRESET'
}
