// Probes whether a workspace answers, from where the requests will come: TCP, then an HTTP status below 500.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { Finding, ProbeCommand, ProbeResult } from '@berth/shared/contract'
import { accepts } from './accepts.ts'
import { get } from './get.ts'
import { speaksTls } from './speaks-tls.ts'

export interface ProbeAttempt {
  /** The HTTP status; `undefined` without an answer. */
  readonly status?: number
  /** The connection was accepted, or none is needed, and that is all that counts. */
  readonly connected?: true
  /** What the try met instead of an answer that counts, except a status. */
  readonly finding?: Exclude<Finding, 'status'>
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
    let attempt: ProbeAttempt | undefined
    let step: number | undefined
    while (!signal.aborted) {
      const leftMs = deadlineMs - passedMs()
      if (leftMs <= 0) break
      const latest = await tryProbe(command, leftMs, signal)
      // A try that the deadline cut short tells less than the try before it.
      if (attempt === undefined || leftMs >= answerMs || !isTimeout(latest)) attempt = latest
      if (isReachable(latest)) break
      step = nextStepMs(step)
      await sleep(Math.min(step, Math.max(0, deadlineMs - passedMs())), signal)
    }
    const reachable = attempt !== undefined && isReachable(attempt)
    const ms = Math.round(passedMs())
    const { status, finding = status === undefined ? undefined : 'status' } = attempt ?? {}
    return {
      workspace,
      generation,
      reachable,
      ms,
      ...(status === undefined ? {} : { status }),
      ...(reachable || finding === undefined ? {} : { finding }),
    }
  }
}

export function isReachable({ status, finding, connected }: ProbeAttempt): boolean {
  return finding === undefined && (connected === true || (status !== undefined && status < 500))
}

function isTimeout({ finding }: ProbeAttempt): boolean {
  return finding === 'silent' || finding === 'unreachable'
}

/** A connection of its own for each try, closed after it. */
export const tryProbeOnce: TryProbe = async ({ address, path, workspace }, timeoutMs, signal) => {
  if (address.scheme === 'none') return { connected: true }
  if (address.scheme === 'tcp') return accepts(address, Math.min(timeoutMs, connectMs), signal)
  const got = await get({
    address,
    path,
    workspace,
    accept: '*/*',
    connectMs: Math.min(timeoutMs, connectMs),
    signal: AbortSignal.any([signal, abortAfter(Math.min(timeoutMs, answerMs))]),
    read: ({ statusCode }) => statusCode,
  })
  const attempt = 'finding' in got ? got : { status: got.value }
  if (address.scheme === 'https' || !mayBeTls(attempt)) return attempt
  const tlsSignal = AbortSignal.any([signal, abortAfter(Math.min(timeoutMs, connectMs))])
  return (await speaksTls(address, tlsSignal)) ? { ...attempt, finding: 'tls' } : attempt
}

/** TLS servers answer plain HTTP with 400 (nginx, Apache, Go), with bytes that are not HTTP, or by closing the connection. */
function mayBeTls({ status, finding }: ProbeAttempt): boolean {
  return status === 400 || finding === 'closed' || finding === 'not_http'
}
