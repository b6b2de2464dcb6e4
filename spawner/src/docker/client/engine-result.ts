// What the loop gets: a value, or a failure in words for people, and whether a retry can help.
import { BerthError, type ProblemCode } from '@berth/shared/problems'
import type { EngineResult } from '../../loop/engine.ts'
import type { Failure } from '../../policy/domain.ts'
import { isFault } from './fault.ts'
import { reasonFor } from './refused-command.ts'

export const done = <T>(value: T): EngineResult<T> => ({ ok: true, value })

export function failed(
  failure: Failure,
  retry = false,
): { ok: false; failure: Failure; retry: boolean } {
  return { ok: false, failure, retry }
}

/** The engine's message may quote text that people chose. */
const maxCauseLength = 500
const inTheLog = 'An administrator finds the reason in the log of the spawner.'

/**
 * Turns what `work` throws into a failure. People are told the words, and the log what the engine said. It can be retried if the engine did not answer, and with `retryBroken` also
 * after an HTTP 5xx; a refused order is not retried.
 *
 * @param words a sentence without its full stop: "The container could not be created"
 */
export async function resultOf<T>(
  code: ProblemCode,
  words: string,
  work: () => Promise<T | EngineResult<T>>,
  options: { retryBroken: boolean } = { retryBroken: false },
): Promise<EngineResult<T>> {
  try {
    const result = await work()
    return isResult(result) ? result : done(result)
  } catch (error) {
    if (error instanceof BerthError)
      return failed({ code: error.code, detail: error.message, ...causeOf(error.cause) })
    if (!isFault(error)) throw error
    if (error.kind === 'unreachable')
      return failed(
        {
          code: 'engine_unreachable',
          detail: 'The container engine does not answer.',
          ...causeOf(error),
        },
        true,
      )
    const detail = `${words}${reasonFor(error.message) ?? `. ${inTheLog}`}`
    const failure = { code, detail, ...causeOf(error) }
    return failed(failure, options.retryBroken && error.kind === 'broken')
  }
}

function causeOf(error: unknown): { readonly cause?: string } {
  return error instanceof Error && error.message !== ''
    ? { cause: error.message.slice(0, maxCauseLength) }
    : {}
}

function isResult<T>(result: T | EngineResult<T>): result is EngineResult<T> {
  return typeof result === 'object' && result !== null && 'ok' in result
}
