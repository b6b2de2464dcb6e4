// One connection of a client: its sign-in, its sessions and forwardings, and what is refused. What is behind a session is in
// `session.ts`, behind a forwarding in `forward.ts`.
import { plainAddress } from '@berth/shared/networks'
import { newRequestId } from '@berth/shared/request-id'
import type { Socket } from 'node:net'
import type { Log } from '@berth/shared/log'
import type { SessionOrder, SessionPurpose, SessionTarget } from '@berth/shared/contract'
import type { TerminalSize } from '@berth/shared/session-frames'
import type { SetTimer } from '@berth/shared/timer'
import type { Connection, ServerChannel, Session } from 'ssh2'
import type { Authenticate, Client, SignedIn } from './authenticate.ts'
import { mayOpen } from './authorized-keys.ts'
import { boundInput } from './bound-input.ts'
import { boundClient } from './client-bounds.ts'
import type { Forwarding, Listening, Wanted } from './forward.ts'
import { usualExchangeMs } from './key-exchange.ts'
import { linesOf, Refused } from './refused.ts'
import type { ServeSession } from './session.ts'
import { modesIn, sttyWords } from './terminal-modes.ts'

export interface ConnectionDeps {
  readonly authenticate: Authenticate
  readonly serveSession: ServeSession
  readonly forwarding: Forwarding
  /** Whether a client may set that variable. */
  readonly mayBeSet: (name: string) => boolean
  readonly setTimer: SetTimer
  /** What an exchange of keys may take. Default: 20 s. */
  readonly exchangeMs?: number
  /** `CONNECTION_MAX_AGE`; 0 is off. */
  readonly maxAgeMs: number
  readonly log: Log
}

const mostTries = 6
const mostSessions = 64
const mostForwardings = 256
const mostListeners = 16
const mostVariables = 64
const longestValue = 1_024
const longestCommand = 128 * 1024
/** Requests to listen that are not answered yet. */
const mostRequests = 64
/** The keys of a connection are changed after so many bytes, and after so much time. ssh2 does not do it by itself. */
const rekeyBytes = 1024 ** 3
const rekeyMs = 3_600_000
const rekeyLookMs = 10_000

/** How far the sign-in of a client is, for the bounds on those that have not signed in. */
export interface SignInProgress {
  readonly done: () => void
  /** A person confirms it in a browser. */
  readonly waits: () => void
}

export function serveConnection(
  deps: ConnectionDeps,
  client: Connection,
  socket: Socket,
  program: string,
  progress: SignInProgress,
): void {
  const { authenticate, serveSession, setTimer, log } = deps
  const address = plainAddress(socket.remoteAddress ?? '')
  const modes = watchModes(client)
  const { drained, rekey, end } = boundClient({
    client,
    socket,
    exchangeMs: deps.exchangeMs ?? usualExchangeMs,
    setTimer,
    ended: (reason) =>
      log.info({ address, user: signedIn?.login.user, reason }, 'ssh client ended'),
  })
  const bounded = <C extends ServerChannel>(channel: C): C =>
    boundInput(channel, () => end('it sends more than it may'))
  const gone = new AbortController()
  let tries = 0
  let hasAsked = false
  let signedIn: SignedIn | undefined
  const { waits } = progress
  const known: Client = { address, program, offered: undefined, gone: gone.signal, waits }
  let sessions = 0

  // ssh2 ends the connection, but would wait for a client that does not read.
  client.on('error', (error) => {
    log.debug({ address, error }, 'ssh connection failed')
    end()
  })
  socket.once('close', () => gone.abort())

  client.on('authentication', (context) => {
    tries += 1
    if (tries > mostTries) {
      end('too many tries to sign in')
      return
    }
    void authenticate.signIn(context, known).then((found) => {
      if (gone.signal.aborted) return
      if (context.method === 'keyboard-interactive') hasAsked = true
      // Clients would ask again and again, and a person who has refused would see it once more.
      if (found === undefined)
        return context.reject(
          authenticate.methods.filter((method) => method === 'publickey' || !hasAsked),
        )
      const isQuestion = context.method === 'publickey' && context.signature === undefined
      if (!isQuestion) signedIn = found
      context.accept()
    })
  })
  client.on('ready', () => {
    if (signedIn === undefined) return end('it has not signed in')
    const { user, template } = signedIn.login
    log.info({ user, template, address }, 'ssh client signed in')
    progress.done()
    watchAge()
  })
  client.on('session', (accept, reject) => {
    if (signedIn === undefined || sessions >= mostSessions) return reject()
    sessions += 1
    serve(accept(), signedIn)
  })
  let forwardings = 0
  function forward(wanted: Wanted, accept: () => ServerChannel, reject: () => void): void {
    if (signedIn === undefined || forwardings >= mostForwardings) return reject()
    if (!mayOpen(signedIn.key, wanted)) {
      log.warn({ user: signedIn.login.user, address, wanted }, 'ssh forwarding refused by the key')
      return reject()
    }
    forwardings += 1
    const { login } = signedIn
    void deps.forwarding
      .forward({
        login,
        wanted,
        accept: () => bounded(accept()),
        reject,
        drained,
        gone: gone.signal,
      })
      .finally(() => (forwardings -= 1))
  }
  client.on('tcpip', (accept, reject, { destIP, destPort }) =>
    forward({ host: destIP, port: destPort }, accept, reject),
  )
  client.on('openssh.streamlocal', (accept, reject, { socketPath }) =>
    forward({ path: socketPath }, accept, reject),
  )

  /** By what they listen on. */
  const listeners = new Map<string, Listening>()
  async function listen(
    wanted: { host: string; port: number } | { path: string },
  ): Promise<number> {
    const known = signedIn
    if (known === undefined || !known.key.mayForward || listeners.size >= mostListeners)
      throw new Refused('template_forbidden', 'No more ports can be listened on.')
    const at: SessionTarget = 'path' in wanted ? wanted : { port: wanted.port }
    const listening = await deps.forwarding.listen({
      login: known.login,
      at,
      open: (from) => openBack(wanted, listening.port, from),
      drained,
      gone: gone.signal,
    })
    listeners.set(nameOf(wanted, listening.port), listening)
    return listening.port
  }
  function openBack(
    wanted: { host: string; port: number } | { path: string },
    port: number,
    from: { address: string; port: number },
  ): Promise<ServerChannel> {
    const { promise, resolve, reject } = Promise.withResolvers<ServerChannel>()
    const done = (error: Error | undefined, channel: unknown): void =>
      error === undefined ? resolve(bounded(channel as ServerChannel)) : reject(error)
    if ('path' in wanted) client.openssh_forwardOutStreamLocal(wanted.path, done)
    else client.forwardOut(wanted.host, port, from.address, from.port, done)
    return promise
  }
  /** The replies to these come in the order of the requests. */
  let replied: Promise<void> = Promise.resolve()
  let requests = 0
  client.on('request', (accept, reject, name, info) => {
    const wanted =
      'socketPath' in info && typeof info.socketPath === 'string'
        ? { path: info.socketPath }
        : { host: info.bindAddr, port: info.bindPort }
    requests += 1
    if (requests > mostRequests) return end('it asks to listen without end')
    replied = replied.then(async () => {
      requests -= 1
      const key = nameOf(wanted, 'port' in wanted ? wanted.port : 0)
      if (name.startsWith('cancel-')) {
        const listening = listeners.get(key)
        listening?.close()
        listeners.delete(key)
        return listening === undefined ? reject?.() : accept?.()
      }
      try {
        const port = await listen(wanted)
        if ('port' in wanted && wanted.port === 0) accept?.(port)
        else accept?.()
      } catch (error) {
        if (!gone.signal.aborted)
          log.info(
            { user: signedIn?.login.user, address, wanted },
            error instanceof Refused ? linesOf(error)[0] : 'listening failed',
          )
        reject?.()
      }
    })
  })

  function watchAge(): void {
    const { maxAgeMs } = deps
    const age =
      maxAgeMs > 0 ? setTimer(maxAgeMs, () => end('it has been connected for long')) : undefined
    let [bytes, since] = [bytesOf(socket), Date.now()]
    const look = setInterval(() => {
      if (bytesOf(socket) - bytes < rekeyBytes && Date.now() - since < rekeyMs) return
      bytes = bytesOf(socket)
      since = Date.now()
      rekey()
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
    let terminal: SessionOrder['terminal']
    let terminalModes: Buffer | undefined
    let wantsAgent = false
    let change: Parameters<Parameters<ServeSession>[0]['onChange']>[0] | undefined
    // ssh2 tells the session of its end before it has a channel, and later the channel.
    const end = (): void => ended.abort()
    // ssh2 keeps a session that was closed before it had a channel, so its place stays taken.
    let hasChannel = false
    over.addEventListener('abort', () => void (sessions -= hasChannel ? 1 : 0), { once: true })
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
      terminalModes = modes()
      terminal = { ...sizeOf(cols, rows), modes: sttyWords(terminalModes) }
      if (isVariable('TERM', term) && term !== '') environment['TERM'] = term
      accept?.()
    })
    session.on('window-change', (accept, _reject, { cols, rows }) => {
      if (terminal !== undefined) {
        terminal = { ...terminal, ...sizeOf(cols, rows) }
        change?.resized(terminal)
      }
      accept?.()
    })
    session.on('signal', (accept, _reject, { name }) => {
      change?.signalled(name)
      accept?.()
    })
    // ssh2 has no way to open a channel to an agent.
    session.on('auth-agent', (_accept, reject) => {
      wantsAgent = true
      log.info({ user: login.user, address }, 'ssh agent forwarding refused')
      reject?.()
    })

    // The channel is accepted at once: later, piped input would be lost. Nothing is read from it until there is a process.
    function begin(channel: ServerChannel | undefined, purpose: SessionPurpose): void {
      if (channel === undefined) return
      hasChannel = true
      bounded(channel)
      channel.on('error', (error: Error) => log.debug({ error }, 'ssh channel failed'))
      channel.once('close', end)
      if (wantsAgent && terminal !== undefined)
        channel.stderr.write('berth: your agent is not forwarded: Berth does not offer that.\r\n')
      void serveSession({
        requestId: newRequestId(),
        login,
        channel,
        purpose,
        environment,
        terminal,
        terminalModes,
        onChange(handlers) {
          change = handlers
          // What changed while the workspace got ready.
          if (terminal !== undefined) handlers.resized(terminal)
        },
        drained,
        gone: over,
      })
    }
    session.on('shell', (accept) => begin(accept(), { type: 'shell' }))
    session.on('exec', (accept, reject, { command }) => {
      if (command.length > longestCommand) return reject?.()
      begin(accept(), { type: 'command', command })
    })
    session.on('subsystem', (accept, reject, { name }) => {
      if (name !== 'sftp') return reject?.()
      begin(accept(), { type: 'files' })
    })
  }
}

/** ssh2 1.17 reads the modes of a terminal from their second byte on, and so finds none.
 *
 * @returns those of the latest request for a terminal */
export function watchModes(client: Connection): () => Buffer {
  let latest: Buffer = Buffer.alloc(0)
  const { _protocol: protocol } = client as unknown as {
    readonly _protocol: { _onPayload: (payload: Buffer) => unknown }
  }
  const read = protocol._onPayload
  protocol._onPayload = (payload) => {
    latest = modesIn(payload) ?? latest
    return read(payload)
  }
  return () => latest
}

const nameOf = (wanted: { host: string } | { path: string }, port: number): string =>
  'path' in wanted ? wanted.path : `${wanted.host}:${port}`

const bytesOf = ({ bytesRead, bytesWritten }: Socket): number => bytesRead + bytesWritten

const isVariable = (name: string, value: string): boolean =>
  /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name) && value.length <= longestValue && !/\0/.test(value)

/** A client without a size says 0. */
function sizeOf(columns: number, rows: number): TerminalSize {
  const side = (value: number, without: number) => (value > 0 ? Math.min(value, 10_000) : without)
  return { columns: side(columns, 80), rows: side(rows, 24) }
}
