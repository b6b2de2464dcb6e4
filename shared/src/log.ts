// The log: one JSON line for each event, in the past tense, with fields. Values from outside are bounded.
import { pino, type Logger } from 'pino'

export type Log = Logger

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

const textLimit = 512

export function createLog(options: { service: string; level: LogLevel }): Log {
  return pino({
    level: options.level,
    base: { service: options.service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { error: describeError },
    messageKey: 'message',
  })
}

/** The codes of failed connections, from the system and undici. Faults in the code have other codes (`ERR_…`). */
const connectionFailed = /^(?:E[A-Z]+|UND_ERR_(?:SOCKET|CONNECT_TIMEOUT))$/

/** With its stack, unless a connection failed: the stack of a failed connection explains nothing, and they are frequent. */
export function describeError(error: unknown): {
  readonly type?: string
  readonly message?: string
  readonly code?: string
  readonly stack?: string
} {
  if (!(error instanceof Error)) return { message: String(error) }
  const code = 'code' in error ? error.code : undefined
  if (typeof code !== 'string' || !connectionFailed.test(code))
    return pino.stdSerializers.err(error)
  return { type: error.name, message: error.message || code, code }
}

/** Cuts a text that comes from outside (a user name, a path), so that it cannot flood the log. */
export function bounded(text: string, limit = textLimit): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}…`
}
