// What the loop is told: a value, or a failure in words for people, and whether the engine is to blame for it.
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

/** An engine's sentence may quote what people chose; the pages escape it, and here it is kept short. */
const longestDetail = 500

/**
 * Turns what `work` throws into an outcome: no answer is the engine's fault, what the engine says about the order
 * is not, unless `retryBroken` (an HTTP 5xx is then tried again).
 *
 * @param words how the sentence begins: "The container could not be made"
 */
export async function outcomeOf<T>(
  code: ProblemCode,
  words: string,
  work: () => Promise<T | EngineResult<T>>,
  options: { retryBroken: boolean } = { retryBroken: false },
): Promise<EngineResult<T>> {
  try {
    const result = await work()
    return isOutcome(result) ? result : done(result)
  } catch (error) {
    if (error instanceof BerthError) return failed({ code: error.code, detail: error.message })
    if (!isFault(error)) throw error
    if (error.kind === 'unreachable')
      return failed(
        { code: 'engine_unreachable', detail: 'The container engine does not answer.' },
        true,
      )
    const detail = `${words}: ${error.message}`.slice(0, longestDetail)
    return failed({ code, detail }, options.retryBroken && error.kind === 'broken')
  }
}

function isOutcome<T>(result: T | EngineResult<T>): result is EngineResult<T> {
  return typeof result === 'object' && result !== null && 'ok' in result
}
