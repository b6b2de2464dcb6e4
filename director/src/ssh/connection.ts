// One connection of a client: its sign-in, its sessions, and what is refused. The process behind a session is `session.ts`.
import { newRequestId } from '@berth/shared/request-id'
import type { Socket } from 'node:net'
import type { Log } from '@berth/shared/log'
import type { TerminalSize } from '@berth/shared/session-frames'
import type { SetTimer } from '@berth/shared/timer'
import type { Connection, ServerChannel, Session } from 'ssh2'
import type { Authenticate, SignedIn } from './authenticate.ts'
import { createDrained } from './channel-writer.ts'
import type { ServeSession } from './session.ts'

export interface ConnectionDeps {
  readonly authenticate: Authenticate
  readonly serveSession: ServeSession
  /** Whether a client may set that variable. */
  readonly mayBeSet: (name: string) => boolean
  readonly setTimer: SetTimer
  /** `CONNECTION_MAX_AGE`; 0 is off. */
  readonly maxAgeMs: number
  readonly log: Log
}

const methods = ['publickey'] as const
const mostTries = 6
const mostSessions = 64
const mostVariables = 64
const longestValue = 1_024
const longestCommand = 128 * 1024
/** The keys of a connection are changed after so many bytes, and after so much time. ssh2 does not do it by itself. */
const rekeyBytes = 1024 ** 3
const rekeyMs = 3_600_000
const rekeyLookMs = 10_000

/** @param ready called when the client has signed in */
export function serveConnection(
  deps: ConnectionDeps,
  client: Connection,
  socket: Socket,
  ready: () => void,
): void {
  const { authenticate, serveSession, setTimer, log } = deps
  const address = socket.remoteAddress ?? ''
  const drained = createDrained(socket)
  const gone = new AbortController()
  let tries = 0
  let signedIn: SignedIn | undefined
  let sessions = 0

  // ssh2 closes the connection itself.
  client.on('error', (error) => log.debug({ address, error }, 'ssh connection failed'))
  socket.once('close', () => gone.abort())

  client.on('authentication', (context) => {
    tries += 1
    if (tries > mostTries) {
      log.info({ address }, 'ssh client refused: too many tries')
      client.end()
      return
    }
    void authenticate(context, address).then((found) => {
      if (found === undefined) return context.reject([...methods])
      if ('signature' in context && context.signature !== undefined) signedIn = found
      context.accept()
    })
  })
  client.on('ready', () => {
    if (signedIn === undefined) {
      client.end()
      return
    }
    const { user, template } = signedIn.login
    log.info({ user, template, address }, 'ssh client signed in')
    ready()
    watchAge()
  })
  client.on('session', (accept, reject) => {
    if (signedIn === undefined || sessions >= mostSessions) return reject()
    sessions += 1
    serve(accept(), signedIn)
  })

  function watchAge(): void {
    const { maxAgeMs } = deps
    const age = maxAgeMs > 0 ? setTimer(maxAgeMs, () => client.end()) : undefined
    let [bytes, since] = [bytesOf(socket), Date.now()]
    const look = setInterval(() => {
      if (bytesOf(socket) - bytes < rekeyBytes && Date.now() - since < rekeyMs) return
      bytes = bytesOf(socket)
      since = Date.now()
      client.rekey()
    }, rekeyLookMs)
    gone.signal.addEventListener('abort', () => {
      age?.[Symbol.dispose]()
      clearInterval(look)
    })
  }

  function serve(session: Session, { login, key }: SignedIn): void {
    const environment: Record<string, string> = {}
    const ended = new AbortController()
    const over = AbortSignal.any([gone.signal, ended.signal])
    let terminal: TerminalSize | undefined
    let resized: (size: TerminalSize) => void = () => undefined
    // ssh2 tells the session of its end before it has a channel, and later the channel.
    const end = (): void => ended.abort()
    over.addEventListener('abort', () => void (sessions -= 1), { once: true })
    session.on('close', end)
    // A client may want no reply: then there is nothing to call.
    session.on('env', (accept, reject, { key: name, val }) => {
      const isFull = Object.keys(environment).length >= mostVariables
      if (isFull || !isVariable(name, val) || !deps.mayBeSet(name)) return reject?.()
      environment[name] = val
      accept?.()
    })
    session.on('pty', (accept, reject, { cols, rows, term }) => {
      if (!key.mayHaveTerminal) return reject?.()
      terminal = sizeOf(cols, rows)
      if (isVariable('TERM', term) && term !== '') environment['TERM'] = term
      accept?.()
    })
    session.on('window-change', (accept, _reject, { cols, rows }) => {
      if (terminal !== undefined) {
        terminal = sizeOf(cols, rows)
        resized(terminal)
      }
      accept?.()
    })

    // The channel is accepted at once: later, piped input would be lost. Nothing is read from it until there is a process.
    function begin(channel: ServerChannel | undefined, command: string | undefined): void {
      if (channel === undefined) return
      channel.on('error', (error: Error) => log.debug({ error }, 'ssh channel failed'))
      channel.once('close', end)
      void serveSession({
        requestId: newRequestId(),
        login,
        channel,
        command,
        environment,
        terminal,
        onResize(handler) {
          resized = handler
          // What changed while the workspace got ready.
          if (terminal !== undefined) handler(terminal)
        },
        drained,
        gone: over,
      })
    }
    session.on('shell', (accept) => begin(accept(), undefined))
    session.on('exec', (accept, reject, { command }) => {
      if (command.length > longestCommand) return reject?.()
      begin(accept(), command)
    })
  }
}

const bytesOf = ({ bytesRead, bytesWritten }: Socket): number => bytesRead + bytesWritten

const isVariable = (name: string, value: string): boolean =>
  /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name) && value.length <= longestValue && !/\0/.test(value)

/** A client without a size says 0. */
function sizeOf(columns: number, rows: number): TerminalSize {
  const side = (value: number, without: number) => (value > 0 ? Math.min(value, 10_000) : without)
  return { columns: side(columns, 80), rows: side(rows, 24) }
}
