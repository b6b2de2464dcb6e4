// One call to the engine: with a deadline, measured, its error translated. Every call of docker/ goes through it.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import { asFault, isFault, type FaultKind } from './fault.ts'

/** Told about each call, for the metrics. */
export interface CallObserver {
  called(call: string, seconds: number): void
  failed(call: string): void
}

export interface CallOptions {
  readonly signal: AbortSignal
  /** Default: 10 s. */
  readonly deadlineMs?: number
}

/**
 * Rejects with an `EngineFault` and nothing else. Some of dockerode's methods take no signal: then only the wait for
 * the answer ends, and the request itself may go on.
 */
export type Call = <T>(
  name: string,
  options: CallOptions,
  work: (abortSignal: AbortSignal) => Promise<T>,
) => Promise<T>

const defaultDeadlineMs = 10_000

export function createCall(deps: { clock: Clock; observer: CallObserver }): Call {
  return async (name, options, work) => {
    const began = deps.clock.now()
    const deadline = abortAfter(options.deadlineMs ?? defaultDeadlineMs)
    const signal = AbortSignal.any([options.signal, deadline])
    try {
      return await untilAborted(signal, () => work(signal))
    } catch (error) {
      const fault = signal.aborted ? asFault(name, signal.reason) : asFault(name, error)
      if (isFault(fault, 'broken', 'unreachable') && !options.signal.aborted)
        deps.observer.failed(name)
      throw fault
    } finally {
      deps.observer.called(name, (deps.clock.now() - began) / 1_000)
    }
  }
}

async function untilAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', abort, { once: true })
  try {
    return await Promise.race([work(), aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
  }
}

/** The value, or `undefined` if the engine does not have the thing. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isFault(error, 'gone')) return undefined
    throw error
  }
}

/** Success also if the thing was in that state already (304), and for the kinds in `also`. */
export async function unlessDone(
  answer: Promise<unknown>,
  ...also: readonly FaultKind[]
): Promise<void> {
  try {
    await answer
  } catch (error) {
    if (!isFault(error, 'unchanged', ...also)) throw error
  }
}
