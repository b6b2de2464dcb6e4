// What the loop gets: a value, or a failure in words for people, and whether a retry can help.
import { BerthError, type ProblemCode } from '@berth/shared/problems'
import type { EngineResult } from '../../loop/engine.ts'
import type { Failure } from '../../policy/domain.ts'
import { isFault } from './fault.ts'

export const done = <T>(value: T): EngineResult<T> => ({ ok: true, value })

export function failed(
  failure: Failure,
  retry = false,
): { ok: false; failure: Failure; retry: boolean } {
  return { ok: false, failure, retry }
}

/** The engine's message may quote text that people chose. The pages escape it; here only its length is limited. */
const maxDetailLength = 500

/**
 * Turns what `work` throws into a failure. It can be retried if the engine did not answer, and with `retryBroken` also
 * after an HTTP 5xx; a refused order is not retried.
 *
 * @param words the beginning of the sentence: "The container could not be created"
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
    if (error instanceof BerthError) return failed({ code: error.code, detail: error.message })
    if (!isFault(error)) throw error
    if (error.kind === 'unreachable')
      return failed(
        { code: 'engine_unreachable', detail: 'The container engine does not answer.' },
        true,
      )
    const detail = `${words}: ${error.message}`.slice(0, maxDetailLength)
    return failed({ code, detail }, options.retryBroken && error.kind === 'broken')
  }
}

function isResult<T>(result: T | EngineResult<T>): result is EngineResult<T> {
  return typeof result === 'object' && result !== null && 'ok' in result
}
