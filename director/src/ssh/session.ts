// One session of a signed-in client, from its first byte to its exit code: who it is, a seat, and a process in the container
// whose bytes are passed on. What cannot be done is said in one line on the error stream, with exit code 255.
import type { Duplex } from 'node:stream'
import { problemSchema, type Person, type Route, type SessionOrder } from '@berth/shared/contract'
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import { problemTitle, type ProblemCode } from '@berth/shared/problems'
import {
  decodeNumber,
  encodeSize,
  frameTypes,
  type TerminalSize,
} from '@berth/shared/session-frames'
import { createSessionLink, type SessionLink } from '@berth/shared/session-link'
import type { ServerChannel } from 'ssh2'
import type { LeaseTable, Seat } from '../leases/lease-table.ts'
import { seatKey } from '../leases/lease.ts'
import { createKeepSeat } from '../listener/keep-seat.ts'
import type { Metrics, RequestOutcome } from '../listener/metrics.ts'
import type { PersonLimits } from '../listener/person-limits.ts'
import { spawnerUnreachableDetail } from '../listener/seating.ts'
import type { Spawner } from '../spawner/client.ts'
import type { SeatRequests } from '../spawner/seat-requests.ts'
import type { SetTimer } from '@berth/shared/timer'
import { createChannelWriter } from './channel-writer.ts'
import type { LoginName } from './login-name.ts'
import { clearLine, plainLine, progressLine } from './progress-line.ts'

export interface SessionDeps {
  readonly spawner: Pick<Spawner, 'login' | 'openSession'>
  readonly seats: SeatRequests
  readonly table: LeaseTable
  readonly limits: PersonLimits
  readonly metrics: Metrics
  /** As the latest snapshot of routes has it. */
  readonly routeOf: (template: string) => Route | undefined
  /** The host name of this director. */
  readonly director: string
  /** `SSH_SIGN_IN_AGE`. */
  readonly signInAgeMs: number
  /** `REQUEST_WAIT_TIMEOUT`. */
  readonly waitMs: number
  readonly clock: Clock
  readonly setTimer: SetTimer
  readonly log: Log
  readonly closing: AbortSignal
}

export interface AskedSession {
  /** By which the logs of both services name it. */
  readonly requestId: string
  readonly login: LoginName
  readonly channel: ServerChannel
  /** Absent: a shell. */
  readonly command: string | undefined
  readonly environment: Readonly<Record<string, string>>
  readonly terminal: TerminalSize | undefined
  /** Has the handler called at each new size of the terminal. */
  readonly onResize: (resized: (size: TerminalSize) => void) => void
  /** Resolves once the socket of the client has sent what is in it. */
  readonly drained: () => Promise<void>
  /** Aborts when the channel or its connection has ended. */
  readonly gone: AbortSignal
}

export type ServeSession = (asked: AskedSession) => Promise<void>

/** A person at a terminal sees how long it takes, and leaves when they like. */
const longestWaitMs = 3_600_000
const openMs = 25_000
const failureCode = 255
const interruptedCode = 130
const interrupt = 0x03
/** What is typed before the shell is there. */
const mostTypedAhead = 4_096

/** Why there is no session, in a line for the person. */
class Refused extends Error {
  readonly code: ProblemCode
  constructor(code: ProblemCode, detail: string) {
    super(detail)
    this.code = code
  }
}

interface Ending {
  readonly outcome: RequestOutcome
  readonly code?: ProblemCode
  readonly exitCode?: number
}

export function createServeSession(deps: SessionDeps): ServeSession {
  const { spawner, seats, limits, metrics, clock, log, closing } = deps
  const keepSeat = createKeepSeat(deps)

  async function whoIs({ login, gone }: AskedSession): Promise<{ person: Person; route: Route }> {
    const asked = { ...login, maxAgeMs: deps.signInAgeMs }
    const known = await spawner.login(asked, gone)
    if (known.status === 'refused') throw new Refused(known.problem.code, known.problem.detail)
    const route = known.status === 'known' ? deps.routeOf(known.template) : undefined
    if (known.status !== 'known' || route === undefined)
      throw new Refused('spawner_unreachable', spawnerUnreachableDetail)
    return { person: known.person, route }
  }

  async function findSeat(
    asked: AskedSession,
    who: { person: Person; route: Route },
    say: (text: string) => void,
    leaves: AbortSignal,
  ): Promise<Seat> {
    const { terminal, command } = asked
    const isSeen = terminal !== undefined && command === undefined
    const { person: user, route } = who
    const result = await seats.request({
      holder: { user, template: route.template },
      route,
      start: 'start',
      navigation: false,
      protocol: 'ssh',
      requestId: asked.requestId,
      until: clock.now() + (isSeen ? longestWaitMs : deps.waitMs),
      ...(isSeen ? { told: (progress) => say(progressLine(progress, terminal.columns)) } : {}),
      signal: AbortSignal.any([leaves, closing]),
    })
    if (isSeen) say(clearLine)
    switch (result.status) {
      case 'granted':
        return result.seat
      case 'refused':
        throw new Refused(result.problem.code, result.problem.detail)
      case 'unreachable':
        throw new Refused('spawner_unreachable', spawnerUnreachableDetail)
      case 'waiting':
        throw new Refused(
          'starting',
          'The workspace is still starting. Please try again in a moment.',
        )
      case 'aborted':
        leaves.throwIfAborted()
        throw new Refused('shutting_down', 'Please try again in a moment.')
    }
  }

  /** Passes the bytes of an open session on. @returns its exit code; `undefined` if the connection was lost */
  async function pass(
    asked: AskedSession,
    who: { person: Person; route: Route },
    seat: Seat,
    counts: { bytesIn: number; bytesOut: number },
  ): Promise<number | undefined> {
    const { channel, gone, terminal } = asked
    const { lease, activity } = seat
    const socket: Duplex = await spawner.openSession(gone).catch((error: unknown) => {
      if (!gone.aborted) log.warn({ error }, 'session could not be opened at the spawner')
      throw new Refused('spawner_unreachable', spawnerUnreachableDetail)
    })
    const open = activity.open()
    const writer = createChannelWriter(channel, asked.drained, gone)
    const opened = Promise.withResolvers<void>()
    const ended = Promise.withResolvers<number | undefined>()
    const link = createSessionLink(socket, Buffer.alloc(0), {
      async data(type, bytes) {
        activity.touch()
        counts.bytesOut += bytes.length
        await writer.write(type === frameTypes.errors ? 'errors' : 'output', bytes)
      },
      control(type, payload) {
        if (type === frameTypes.opened) opened.resolve()
        if (type === frameTypes.exit) ended.resolve(decodeNumber(payload) ?? failureCode)
        if (type === frameTypes.refused) opened.reject(refusalIn(payload))
      },
      closed() {
        opened.reject(new Refused('spawner_unreachable', spawnerUnreachableDetail))
        ended.resolve(undefined)
      },
    })
    const leave = (): void => link.destroy()
    const tooLong = deps.setTimer(openMs, leave)
    gone.addEventListener('abort', leave, { once: true })
    closing.addEventListener('abort', leave, { once: true })
    try {
      link.send(frameTypes.order, Buffer.from(JSON.stringify(orderOf(asked, who.person, seat))))
      await opened.promise
      tooLong[Symbol.dispose]()
      if (terminal !== undefined)
        asked.onResize((size) => link.send(frameTypes.resize, encodeSize(size)))
      const holder = { user: who.person, template: who.route.template }
      const { requestId } = asked
      const kept = { holder, route: who.route, seatKey: seatKey(holder), requestId }
      void passInput(channel, link, keepSeat(kept, lease, gone), (bytes) => {
        activity.touch()
        counts.bytesIn += bytes
      })
      return await ended.promise
    } finally {
      tooLong[Symbol.dispose]()
      gone.removeEventListener('abort', leave)
      closing.removeEventListener('abort', leave)
      open[Symbol.dispose]()
      link.destroy()
    }
  }

  const orderOf = (
    { command, environment, terminal }: AskedSession,
    { name }: Person,
    { lease: { workspace, generation } }: Seat,
  ): SessionOrder => ({
    director: deps.director,
    workspace,
    generation,
    user: name,
    ...(command === undefined ? {} : { command }),
    environment,
    ...(terminal === undefined ? {} : { terminal }),
  })

  return async (asked) => {
    const { login, channel, gone, terminal, drained } = asked
    const beganAt = clock.now()
    const counts = { bytesIn: 0, bytesOut: 0 }
    let workspace: string | undefined
    metrics.opened('ssh')
    const say = (text: string): void => void channel.stderr.write(text)

    async function serve(): Promise<Ending> {
      const taken = limits.take(login.user, true)
      if ('limit' in taken)
        throw new Refused('limit_connections', `You have ${taken.limit} connections open.`)
      try {
        const who = await whoIs(asked)
        using typed = watchTyping(channel, terminal !== undefined, gone)
        const seat = await findSeat(asked, who, say, typed.leaves)
        workspace = seat.lease.workspace
        typed[Symbol.dispose]()
        const exitCode = await pass(asked, who, seat, counts)
        if (exitCode !== undefined) return { outcome: 'forwarded', exitCode }
        if (gone.aborted) return { outcome: 'client_gone' }
        say(ownLine('The connection to the workspace was lost.', terminal !== undefined))
        return { outcome: 'cut', exitCode: failureCode }
      } catch (error) {
        if (gone.aborted) return { outcome: 'client_gone' }
        if (error instanceof Interrupted)
          return { outcome: 'client_gone', exitCode: interruptedCode }
        if (!(error instanceof Refused)) throw error
        const text = `${problemTitle(error.code)}. ${error.message}`
        say(ownLine(text, terminal !== undefined))
        metrics.refused(error.code)
        return { outcome: 'refused', code: error.code, exitCode: failureCode }
      } finally {
        if (!('limit' in taken)) taken[Symbol.dispose]()
      }
    }

    const ending = await serve().catch((error: unknown): Ending => {
      log.error({ error }, 'serving a session failed')
      return { outcome: 'failed', exitCode: failureCode }
    })
    if (ending.exitCode !== undefined && !gone.aborted) {
      await drained()
      channel.exit(ending.exitCode)
    }
    channel.end()
    metrics.closed('ssh')
    metrics.ended('ssh', ending.outcome)
    log.info(
      {
        requestId: asked.requestId,
        user: login.user,
        workspace,
        ...ending,
        terminal: terminal !== undefined,
        ...counts,
        ms: Math.round(clock.now() - beganAt),
      },
      'ssh session ended',
    )
  }
}

/** On a terminal the cursor may be anywhere, and a line does not end by itself. */
const ownLine = (text: string, isTerminal: boolean): string =>
  isTerminal ? `\r\nberth: ${plainLine(text)}\r\n` : `berth: ${plainLine(text)}\n`

function refusalIn(payload: Buffer): Refused {
  const problem = problemSchema.parse(JSON.parse(payload.toString()))
  return new Refused(problem.code, problem.detail)
}

/** Ctrl-C of a person who waits. */
class Interrupted extends Error {}

/** While the workspace gets ready, nothing is read but what is typed: Ctrl-C leaves, the rest is kept for the shell. */
function watchTyping(
  channel: ServerChannel,
  isTerminal: boolean,
  gone: AbortSignal,
): Disposable & { readonly leaves: AbortSignal } {
  const left = new AbortController()
  const leaves = AbortSignal.any([gone, left.signal])
  if (!isTerminal) return { leaves, [Symbol.dispose]: () => undefined }
  let kept = Buffer.alloc(0)
  let isOver = false
  const read = (bytes: Buffer): void => {
    if (bytes.includes(interrupt)) left.abort(new Interrupted())
    kept = Buffer.concat([kept, bytes])
    if (kept.length > mostTypedAhead) channel.pause()
  }
  channel.on('data', read)
  return {
    leaves,
    [Symbol.dispose]() {
      if (isOver) return
      isOver = true
      channel.off('data', read)
      channel.pause()
      if (kept.length > 0) channel.unshift(kept)
    },
  }
}

async function passInput(
  channel: ServerChannel,
  link: SessionLink,
  mayPass: () => undefined | Promise<boolean>,
  count: (bytes: number) => void,
): Promise<void> {
  try {
    for await (const chunk of channel as AsyncIterable<Buffer>) {
      count(chunk.length)
      const held = mayPass()
      // The workspace has ended, and its process with it.
      if (held !== undefined && !(await held)) return link.destroy()
      if (!(await link.write(frameTypes.input, chunk))) return
    }
    link.send(frameTypes.inputEnd)
  } catch {
    // The client has gone: `gone` has ended the link.
    link.destroy()
  }
}
