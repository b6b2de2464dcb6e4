// Probes whether a workspace answers, from where the requests will come: TCP, then an HTTP status below 500.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { ProbeCommand, ProbeResult } from '@berth/shared/contract'
import { get } from './get.ts'

export interface ProbeAttempt {
  /** The HTTP status; `undefined` without an answer. */
  readonly status?: number
}

/** One try; it never rejects. */
export type TryProbe = (
  command: ProbeCommand,
  timeoutMs: number,
  signal: AbortSignal,
) => Promise<ProbeAttempt>

const firstStepMs = 20
const longestStepMs = 250
const stepGrowth = 1.5
const connectMs = 1_000
/** How long an application that has accepted the connection may take to answer. */
const answerMs = 5_000

/** The pauses between tries: 20 ms growing to 250. */
export function nextStepMs(stepMs: number | undefined): number {
  return stepMs === undefined ? firstStepMs : Math.min(longestStepMs, stepMs * stepGrowth)
}

export interface ProbeDeps {
  readonly clock: Clock
  readonly tryProbe: TryProbe
  /** Resolves also when the signal aborts; never rejects. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

/** Tries until the workspace answers, the command's deadline has come or the signal aborts. */
export function createProbe({ clock, tryProbe, sleep }: ProbeDeps) {
  return async (
    command: ProbeCommand,
    signal: AbortSignal,
  ): Promise<Omit<ProbeResult, 'director'>> => {
    const { workspace, generation, deadlineMs } = command
    const startedAt = clock.now()
    const passedMs = (): number => clock.now() - startedAt
    let attempt: ProbeAttempt = {}
    let step: number | undefined
    while (!signal.aborted) {
      const leftMs = deadlineMs - passedMs()
      if (leftMs <= 0) break
      attempt = await tryProbe(command, leftMs, signal)
      if (isReachable(attempt)) break
      step = nextStepMs(step)
      await sleep(Math.min(step, Math.max(0, deadlineMs - passedMs())), signal)
    }
    const reachable = isReachable(attempt)
    const ms = Math.round(passedMs())
    const status = attempt.status === undefined ? {} : { status: attempt.status }
    return { workspace, generation, reachable, ms, ...status }
  }
}

function isReachable({ status }: ProbeAttempt): boolean {
  return status !== undefined && status < 500
}

/** A connection of its own for each try, closed after it. */
export const tryProbeOnce: TryProbe = async ({ address, path, workspace }, timeoutMs, signal) => {
  const status = await get({
    address,
    path,
    workspace,
    accept: '*/*',
    connectMs: Math.min(timeoutMs, connectMs),
    signal: AbortSignal.any([signal, abortAfter(Math.min(timeoutMs, answerMs))]),
    read: ({ statusCode }) => statusCode,
  })
  return status === undefined ? {} : { status }
}
