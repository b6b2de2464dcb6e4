// One session of a signed-in client, from its first byte to its exit code. What cannot be done is said in one line on the
// error stream, with exit code 255.
import type { Clock } from '@berth/shared/clock'
import type { SessionOrder, SessionPurpose } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import type { ProblemCode } from '@berth/shared/problems'
import type { TerminalSize } from '@berth/shared/session-frames'
import type { SetTimer } from '@berth/shared/timer'
import type { ServerChannel } from 'ssh2'
import type { Metrics, RequestOutcome } from '../listener/metrics.ts'
import { createChannelWriter } from './channel-writer.ts'
import { nextWarning } from './lifetime-warning.ts'
import type { LoginName } from './login-name.ts'
import type { ContainerProcess, ProcessEnd, StartProcess } from './process.ts'
import { choose } from './menu.ts'
import { clearLine, progressLine } from './progress-line.ts'
import { endWords, kickedCode } from './seat-words.ts'
import { warnOfSilence } from './unused-warning.ts'
import type { SeatEnd } from '../leases/lease-table.ts'
import { Left, type Reach, type Reached, type ReachOrder } from './reach.ts'
import { linesOf, Refused } from './refused.ts'

export interface SessionDeps {
  readonly reach: Reach
  readonly startProcess: StartProcess
  readonly metrics: Metrics
  readonly clock: Clock
  readonly setTimer: SetTimer
  readonly log: Log
}

export interface AskedSession {
  /** By which the logs of both services name it. */
  readonly requestId: string
  readonly login: LoginName
  readonly channel: ServerChannel
  readonly purpose: SessionPurpose
  readonly environment: Readonly<Record<string, string>>
  readonly terminal: SessionOrder['terminal']
  readonly terminalModes: Buffer | undefined
  /** Has the handlers called at each new size of the terminal, and for each signal. */
  readonly onChange: (handlers: {
    readonly resized: (size: TerminalSize) => void
    readonly signalled: (name: string) => void
  }) => void
  /** Resolves once the socket of the client has sent what is in it. */
  readonly drained: () => Promise<void>
  /** Aborts when the channel or its connection has ended. */
  readonly gone: AbortSignal
}

export type ServeSession = (asked: AskedSession) => Promise<void>

const failed: ProcessEnd = { code: 255 }
const interrupted: ProcessEnd = { code: 130 }
const interrupt = 0x03
/** What is typed before the shell is there. */
const mostTypedAhead = 4_096

interface Ending {
  readonly outcome: RequestOutcome
  readonly code?: ProblemCode
  /** What the client is told. */
  readonly end?: ProcessEnd
}

export function createServeSession(deps: SessionDeps): ServeSession {
  const { reach, startProcess, metrics, clock, setTimer, log } = deps

  /** Tells a person at a terminal of the end of the workspace's lifetime, which may be put off meanwhile. */
  function warnOfEnd({ seat }: Reached, say: (line: string) => void): Disposable {
    let timer: Disposable | undefined
    const left = (): number => Date.parse(seat.lease.endsAt ?? '') - clock.wall()
    const watch = (): void => {
      const warning = nextWarning(left())
      if (warning === undefined) return
      timer = setTimer(Math.min(warning.inMs, longestTimerMs), () => {
        // The end may be another one by now.
        if ((nextWarning(left() + 1_000)?.inMs ?? Infinity) <= 1_000) say(`berth: ${warning.text}`)
        watch()
      })
    }
    watch()
    return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() }
  }

  return async (asked) => {
    const { requestId, login, channel, purpose, gone, terminal, drained } = asked
    const beganAt = clock.now()
    const counts = { bytesIn: 0, bytesOut: 0 }
    const isSeen = terminal !== undefined && purpose.type === 'shell'
    const isDumb = ['dumb', undefined].includes(asked.environment['TERM'])
    let screen = { columns: 80, rows: 24, isDumb, ...terminal }
    let workspace: string | undefined
    let chosen = login
    metrics.opened('ssh')
    const write = (text: string): void => void channel.stderr.write(text)
    /** On a terminal the cursor may be anywhere, and a line does not end by itself. */
    const say = (line: string): void =>
      write(terminal === undefined ? `${line}\n` : `\r\n${line}\r\n`)

    async function run(reached: Reached): Promise<ProcessEnd | undefined> {
      const { ended } = reached.seat
      const writer = createChannelWriter(channel, drained, gone)
      const running = await startProcess(reached, {
        purpose,
        environment: asked.environment,
        ...(terminal === undefined ? {} : { terminal }),
        terminalModes: asked.terminalModes,
        async printed(stream, bytes) {
          counts.bytesOut += bytes.length
          await writer.write(stream, bytes)
        },
        gone,
      })
      using warnings = new DisposableStack()
      if (terminal !== undefined) {
        warnings.use(warnOfEnd(reached, say))
        warnings.use(
          warnOfSilence({ ...reached, clock, setTimer }, (text) => say(`berth: ${text}`)),
        )
      }
      const leave = (): void => running.destroy()
      if (ended.aborted) leave()
      ended.addEventListener('abort', leave, { once: true })
      asked.onChange({
        resized: (size) => running.resize(size),
        signalled: (name) => running.signal(name),
      })
      void passInput(channel, running, reached.mayPass, (bytes) => (counts.bytesIn += bytes))
      try {
        return await running.ended
      } finally {
        ended.removeEventListener('abort', leave)
        running.destroy()
      }
    }

    async function serveIn(order: ReachOrder, typed: Typing): Promise<Ending> {
      using reached = await reach(order)
      if (isSeen) write(clearLine)
      workspace = reached.seat.lease.workspace
      chosen = { ...login, template: reached.holder.template }
      typed[Symbol.dispose]()
      const end = await run(reached)
      if (end !== undefined) return { outcome: 'forwarded', end }
      if (gone.aborted) return { outcome: 'client_gone' }
      const { ended } = reached.seat
      if (ended.aborted) {
        say(`berth: ${endWords(ended.reason as SeatEnd)}`)
        return { outcome: 'cut', end: { code: kickedCode } }
      }
      say('berth: The connection to the workspace was lost.')
      return { outcome: 'cut', end: failed }
    }

    async function serve(): Promise<Ending> {
      try {
        using typed = watchTyping(channel, terminal !== undefined, gone)
        asked.onChange({
          resized: (size) => (screen = { ...screen, ...size }),
          signalled: () => undefined,
        })
        const order: ReachOrder = {
          requestId,
          login,
          leaves: typed.leaves,
          ...(isSeen
            ? {
                told: (progress) => write(progressLine(progress, screen.columns)),
                choose: (choices) =>
                  choose(choices, () => screen, write, typed.listen, typed.leaves),
              }
            : {}),
        }
        try {
          return await serveIn(order, typed)
        } catch (error) {
          // What was known of the seat is old, as after a restart of the spawner: it is asked for once more.
          if (!(error instanceof Refused) || error.code !== 'workspace_unknown') throw error
          // Nothing is chosen a second time.
          return await serveIn({ ...order, login: chosen }, typed)
        }
      } catch (error) {
        if (gone.aborted) return { outcome: 'client_gone' }
        if (error instanceof Interrupted || error instanceof Left)
          return { outcome: 'client_gone', end: interrupted }
        if (!(error instanceof Refused)) throw error
        if (isSeen) write(clearLine)
        for (const line of linesOf(error)) say(line)
        metrics.refused(error.code)
        return { outcome: 'refused', code: error.code, end: failed }
      }
    }

    const ending = await serve().catch((error: unknown): Ending => {
      log.error({ error }, 'serving a session failed')
      return { outcome: 'failed', end: failed }
    })
    const { end, ...outcome } = ending
    if (end !== undefined && !gone.aborted) {
      await drained()
      if ('code' in end) channel.exit(end.code)
      else channel.exit(end.signal, end.isDumped, end.description)
    }
    channel.end()
    metrics.closed('ssh')
    metrics.ended('ssh', ending.outcome)
    const ms = Math.round(clock.now() - beganAt)
    const what = { purpose: purpose.type, terminal: terminal !== undefined, ...counts, ms }
    const how = end && ('code' in end ? { exitCode: end.code } : { signal: end.signal })
    const known = { requestId, user: login.user, workspace }
    log.info({ ...known, ...outcome, ...how, ...what }, 'ssh session ended')
  }
}

/** A longer one is looked at again: no timer waits for months. */
const longestTimerMs = 86_400_000

/** Ctrl-C of a person who waits. */
class Interrupted extends Error {}

interface Typing extends Disposable {
  /** Aborts at Ctrl-C. */
  readonly leaves: AbortSignal
  /** Passes what is typed to the handler instead of keeping it, until the disposal. */
  readonly listen: (typed: (text: string) => void) => Disposable
}

/** While the workspace gets ready, nothing is read but what is typed: Ctrl-C leaves, the rest is kept for the shell. */
function watchTyping(channel: ServerChannel, isTerminal: boolean, gone: AbortSignal): Typing {
  const left = new AbortController()
  const leaves = AbortSignal.any([gone, left.signal])
  const nobody = { [Symbol.dispose]: () => undefined }
  if (!isTerminal) return { leaves, listen: () => nobody, ...nobody }
  let kept = Buffer.alloc(0)
  let isOver = false
  let heard: ((text: string) => void) | undefined
  const read = (bytes: Buffer): void => {
    if (bytes.includes(interrupt)) left.abort(new Interrupted())
    if (heard !== undefined) return heard(bytes.toString('latin1'))
    kept = Buffer.concat([kept, bytes])
    if (kept.length > mostTypedAhead) channel.pause()
  }
  channel.on('data', read)
  return {
    leaves,
    listen(typed) {
      heard = typed
      // What was typed before the question is an answer, too.
      const before = kept.toString('latin1')
      kept = Buffer.alloc(0)
      if (before !== '') typed(before)
      return { [Symbol.dispose]: () => (heard = undefined) }
    },
    [Symbol.dispose]() {
      if (isOver) return
      isOver = true
      channel.off('data', read)
      channel.pause()
      if (kept.length > 0) channel.unshift(kept)
    },
  }
}

/** Passes what the client sends on to the process, while the seat is good. */
export async function passInput(
  input: AsyncIterable<Buffer>,
  to: Pick<ContainerProcess, 'write' | 'endInput' | 'destroy'>,
  mayPass: () => undefined | Promise<boolean>,
  count: (bytes: number) => void = () => undefined,
): Promise<void> {
  try {
    for await (const chunk of input) {
      count(chunk.length)
      const held = mayPass()
      // The workspace has ended, and its process with it.
      if (held !== undefined && !(await held)) return to.destroy()
      if (!(await to.write(chunk))) return
    }
    to.endInput()
  } catch {
    // The client has gone.
    to.destroy()
  }
}
