// The kinds of fault of a call to the engine. Only HTTP 404 is "gone"; HTTP 500 never is.

export type FaultKind =
  /** 404 */
  | 'gone'
  /** 304: the thing is in that state already */
  | 'unchanged'
  /** 409 */
  | 'conflict'
  /** any other 4xx: the order itself is wrong */
  | 'refused'
  /** 5xx */
  | 'broken'
  /** no answer: connection refused, connection lost, deadline passed */
  | 'unreachable'

export class EngineFault extends Error {
  readonly kind: FaultKind
  readonly call: string

  constructor(kind: FaultKind, call: string, message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'EngineFault'
    this.kind = kind
    this.call = call
  }
}

export function isFault(error: unknown, ...kinds: readonly FaultKind[]): error is EngineFault {
  return error instanceof EngineFault && (kinds.length === 0 || kinds.includes(error.kind))
}

/** @param error what dockerode threw */
export function asFault(call: string, error: unknown): EngineFault {
  if (error instanceof EngineFault) return error
  if (!(error instanceof Error)) return new EngineFault('broken', call, String(error), error)
  if ('statusCode' in error)
    return new EngineFault(kindOf(Number(error.statusCode)), call, plainMessage(error), error)
  if (error.name === 'TimeoutError')
    return new EngineFault('unreachable', call, `${call} took too long`, error)
  const isNetwork =
    error.name === 'AbortError' || ('code' in error && typeof error.code === 'string')
  return new EngineFault(isNetwork ? 'unreachable' : 'broken', call, error.message, error)
}

function kindOf(status: number): FaultKind {
  if (status === 404) return 'gone'
  if (status === 304) return 'unchanged'
  if (status === 409) return 'conflict'
  return status < 500 ? 'refused' : 'broken'
}

/** The engine's own message, without the text that dockerode adds. */
function plainMessage(error: Error): string {
  const json: unknown = 'json' in error ? error.json : undefined
  if (typeof json === 'object' && json !== null && 'message' in json) return String(json.message)
  return error.message.replace(/^\(HTTP code \d+\) .*? - /, '').trim()
}
