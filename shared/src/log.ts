// The log: one JSON line for each event, in the past tense, with fields. Values from outside are bounded.
import { pino, type DestinationStream, type Logger } from 'pino'

export type Log = Logger

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

const textLimit = 512

export function createLog(options: { service: string; level: LogLevel }): Log {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: createTimestamp(),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: describeError },
      messageKey: 'message',
    },
    (standardOutput ??= createStandardOutput()),
  )
}

let standardOutput: DestinationStream | undefined

/**
 * Writes the lines of one turn of the event loop with one system call: under load that is a tenth of what a request costs.
 * What is logged in the turn in which the process ends, or with the level fatal, is written too.
 */
function createStandardOutput(): DestinationStream & { flushSync(): void } {
  const output = pino.destination({ fd: 1, sync: true, minLength: mostBuffered })
  let isDue = false
  function flushSync(): void {
    isDue = false
    output.flushSync()
  }
  process.on('exit', flushSync)
  return {
    write(line) {
      output.write(line)
      if (isDue) return
      isDue = true
      setImmediate(flushSync)
    },
    flushSync,
  }
}

/** Bytes; more are written at once. */
const mostBuffered = 8 * 1024

/** RFC 3339, in UTC. Most lines under load have the millisecond of the line before. */
function createTimestamp(): () => string {
  let at = Number.NaN
  let text = ''
  return () => {
    const now = Date.now()
    if (now !== at) text = `,"time":"${new Date(now).toISOString()}"`
    at = now
    return text
  }
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
