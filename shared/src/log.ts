// One JSON line an event, past tense, with fields. Values from outside are bounded, secrets never printed.
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
    serializers: { error: pino.stdSerializers.err },
    messageKey: 'message',
  })
}

/** Cuts a text that somebody outside chose (a user name, a path), so that it cannot flood the log. */
export function bounded(text: string, limit = textLimit): string {
  return text.length <= limit ? text : `${text.slice(0, limit)}…`
}
