// One call to the engine: with a deadline, measured, its error translated. Everything in docker/ goes through it.
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
  /** 10 s unless told otherwise. */
  readonly deadlineMs?: number
}

/**
 * Rejects with an `EngineFault` and nothing else. Some of dockerode's methods take no signal, so the wait for the
 * answer ends here, whatever becomes of the request.
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

/** The value, or `undefined` where the engine says that there is no such thing. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (isFault(error, 'gone')) return undefined
    throw error
  }
}

/** Done, or so already: 304 and, where told, 404 count as success. */
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
