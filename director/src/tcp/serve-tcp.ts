// One TCP connection from its first packet to its end: who it is, a seat, a connection to the workspace, and the bytes.
// A client cannot be told why it is refused: the connection is closed, and the log says it.
import type { Clock } from '@berth/shared/clock'
import type { Person, Route } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import type { UserName } from '@berth/shared/names'
import { plainAddress, type Network } from '@berth/shared/networks'
import type { ProblemCode } from '@berth/shared/problems'
import { newRequestId } from '@berth/shared/request-id'
import type { SetTimer } from '@berth/shared/timer'
import type { Socket } from 'node:net'
import { connectPlain } from '../forward/connect-plain.ts'
import type { GuestOfTcp } from '../guests/guest-of-tcp.ts'
import type { Seat, SeatEnd } from '../leases/lease-table.ts'
import { seatKey } from '../leases/lease.ts'
import { createKeepSeat } from '../listener/keep-seat.ts'
import type { Metrics, RequestOutcome } from '../listener/metrics.ts'
import { countedAs, type PersonLimits } from '../listener/person-limits.ts'
import type { Refusals } from '../listener/refusals.ts'
import { createSeating, unseatedProblem, type SeatingDeps } from '../listener/seating.ts'
import type { Spawner } from '../spawner/client.ts'
import { createBoundedLines } from './bounded-lines.ts'
import type { ProxiedClient } from './proxy-header.ts'
import { receiveHeader } from './receive-header.ts'
import { relay } from './relay.ts'
import type { TcpConnections } from './tcp-connections.ts'
import { guest, type WhoConnects } from './who-connects.ts'

export interface ServeTcpDeps extends SeatingDeps {
  readonly spawner: Pick<Spawner, 'login'>
  readonly connections: TcpConnections
  readonly guestOf: GuestOfTcp
  readonly limits: PersonLimits
  readonly metrics: Metrics
  readonly refusals: Pick<Refusals, 'problem'>
  /** `PROXY_FROM`: the edges that tell in a header whom they forward. */
  readonly edges: readonly Network[]
  /** `SSH_SIGN_IN_AGE`. */
  readonly signInAgeMs: number
  /** `REQUEST_WAIT_TIMEOUT`. */
  readonly waitMs: number
  readonly clock: Clock
  readonly setTimer: SetTimer
  readonly log: Log
}

/** A template, by its port. */
export interface TcpEntrance {
  readonly route: Route
  readonly who: WhoConnects
}

/** Never rejects. @param entrance as the latest snapshot of routes has it; `undefined` if the port leads nowhere any more */
export type ServeTcp = (socket: Socket, entrance: () => TcpEntrance | undefined) => Promise<void>

/** From the first packet to the whole header. An edge sends it at once. */
const headerMs = 10_000
const connectMs = 5_000
/** How long a client may take to read that its connection has ended. */
const lingerMs = 1_000
/** For clients that no person is known of, guests among them: anybody may connect. */
const linesOfStrangers = { most: 100, periodMs: 10_000 }

interface Ending {
  readonly outcome: RequestOutcome
  readonly code?: ProblemCode
  /** What an administrator has to know. */
  readonly reason?: string
}

interface Entry {
  readonly requestId: string
  address: string
  readonly template?: string
  user?: string
  /** It is somebody who has signed in. */
  isKnown?: boolean
  workspace?: string | undefined
  bytesIn: number
  bytesOut: number
}

const refused = (code: ProblemCode, reason: string): Ending => ({
  outcome: 'refused',
  code,
  reason,
})
const endOf = (why: SeatEnd): string =>
  'lost' in why ? 'the seat has ended' : `the workspace was stopped: ${why.stopped}`
const clientGone: Ending = { outcome: 'client_gone' }

export function createServeTcp(deps: ServeTcpDeps): ServeTcp {
  const { spawner, connections, limits, metrics, refusals, edges, clock, setTimer, log } = deps
  const seating = createSeating(deps)
  const keepSeat = createKeepSeat(deps)
  const strangers = createBoundedLines({
    ...linesOfStrangers,
    clock,
    leftOut: (lines) => log.warn({ lines }, 'tcp connections ended without a line of their own'),
  })

  /** @returns `undefined` for an edge that connects by itself */
  async function clientBehind(socket: Socket): Promise<ProxiedClient | Ending | undefined> {
    const address = plainAddress(socket.remoteAddress ?? '')
    if (!edges.some((edge) => edge.contains(address))) return { address }
    const header = await receiveHeader(socket, headerMs, setTimer)
    switch (header.status) {
      case 'complete':
        return header.client
      case 'gone':
        return clientGone
      case 'late':
        return refused(
          'bad_request',
          `${address} is in PROXY_FROM: the header did not come within ${headerMs / 1_000} s`,
        )
      case 'malformed':
        return refused('bad_request', `${address} is in PROXY_FROM: the header ${header.why}`)
    }
  }

  async function serve(
    socket: Socket,
    entrance: () => TcpEntrance | undefined,
    entry: Entry,
    gone: AbortSignal,
  ): Promise<Ending> {
    if (!connections.add(socket)) return refused('limit_connections', 'too many connections')
    const client = await clientBehind(socket)
    if (client === undefined) return { outcome: 'own' }
    if ('outcome' in client) return client
    entry.address = client.address
    if (!connections.addFrom(socket, client.address))
      return refused('limit_connections', 'too many connections from this address')
    const at = entrance()
    if (at === undefined) return refused('template_unknown', 'the port leads nowhere any more')
    const { route } = at
    const who = at.who(client)
    if (who === undefined)
      return refused('identity_missing', 'the template names nobody for this address')
    const visitor =
      who === guest ? deps.guestOf(client.address, route.tcp?.guestsBy ?? 'address') : undefined
    const user = visitor?.name ?? (who as UserName)
    entry.user = user
    entry.isKnown = visitor === undefined
    connections.keepWhile(socket, () => {
      const now = entrance()
      return now?.route.template === route.template && now.who(client) === who
    })
    const taken = limits.take(visitor === undefined ? user : countedAs(visitor), true)
    if ('limit' in taken) return refused('limit_connections', `${taken.limit} are open`)
    try {
      const person = visitor ?? (await signedIn(user, route, gone))
      return 'outcome' in person ? person : await serveAs(person, socket, route, entry, gone)
    } finally {
      taken[Symbol.dispose]()
    }
  }

  /** As the last sign-in on the web told. */
  async function signedIn(
    user: UserName,
    route: Route,
    gone: AbortSignal,
  ): Promise<Person | Ending> {
    const asked = { user, template: route.template, maxAgeMs: deps.signInAgeMs }
    const known = await spawner.login({ ...asked, protocol: 'tcp' }, gone)
    if (gone.aborted) return clientGone
    if (known.status === 'refused') return refused(known.problem.code, known.problem.detail)
    if (known.status === 'unreachable')
      return refused('spawner_unreachable', 'the spawner cannot be asked who this is')
    return known.answer.person
  }

  async function serveAs(
    user: Person,
    socket: Socket,
    route: Route,
    entry: Entry,
    gone: AbortSignal,
  ): Promise<Ending> {
    const holder = { user, template: route.template }
    const result = await seating({
      admitted: {
        holder,
        route,
        seatKey: seatKey(holder),
        kind: { start: 'start' },
        protocol: 'tcp',
      },
      entry,
      navigation: false,
      until: clock.now() + deps.waitMs,
      watchHangUp: () => ({ signal: gone, [Symbol.dispose]: () => undefined }),
      attempt: (seat) => forward(socket, route, seat, entry, gone),
    })
    if ('outcome' in result) return result
    if (result.status === 'client-gone') return clientGone
    const { code, detail } = unseatedProblem(result, refusals)
    return refused(code, detail)
  }

  /** @returns `undefined` if the workspace takes no connection: another seat may be tried */
  async function forward(
    socket: Socket,
    route: Route,
    seat: Seat,
    entry: Entry,
    gone: AbortSignal,
  ): Promise<Ending | undefined> {
    const { lease, activity, holder, ended } = seat
    entry.workspace = lease.workspace
    const workspace = await connectPlain(lease.address, connectMs, gone).catch(() => undefined)
    if (gone.aborted) {
      workspace?.destroy()
      return clientGone
    }
    if (workspace === undefined) return undefined
    workspace.on('error', (error) => log.debug({ error }, 'connection of a workspace failed'))
    connections.leadTo(socket, lease.generation)
    const open = activity.open()
    activity.touch()
    const kept = { holder, route, seatKey: seatKey(holder), requestId: entry.requestId }
    const leave = (): void => void socket.destroy()
    if (ended.aborted) leave()
    ended.addEventListener('abort', leave, { once: true })
    const isWhole = await relay(socket, workspace, {
      mayPass: keepSeat(kept, lease, gone),
      setTimer,
      passed(way, bytes) {
        activity.touch()
        if (way === 'in') entry.bytesIn += bytes
        else entry.bytesOut += bytes
      },
    })
    open[Symbol.dispose]()
    ended.removeEventListener('abort', leave)
    if (ended.aborted) return { outcome: 'cut', reason: endOf(ended.reason as SeatEnd) }
    return { outcome: isWhole ? 'forwarded' : 'cut' }
  }

  return async (socket, entrance) => {
    const beganAt = clock.now()
    const gone = new AbortController()
    socket.on('error', (error) => log.debug({ error }, 'tcp client failed'))
    socket.once('close', () => gone.abort())
    const template = entrance()?.route.template
    const entry: Entry = {
      requestId: newRequestId(),
      ...(template === undefined ? {} : { template }),
      address: plainAddress(socket.remoteAddress ?? ''),
      bytesIn: 0,
      bytesOut: 0,
    }
    metrics.opened('tcp')
    const ending = await serve(socket, entrance, entry, gone.signal).catch(
      (error: unknown): Ending => {
        log.error({ error, requestId: entry.requestId }, 'serving a tcp connection failed')
        return { outcome: 'failed' }
      },
    )
    metrics.closed('tcp')
    metrics.ended('tcp', ending.outcome)
    if (ending.code !== undefined) metrics.refused(ending.code)
    const ms = Math.round(clock.now() - beganAt)
    const { isKnown = false, ...told } = entry
    if (isKnown || strangers.take()) log.info({ ...told, ...ending, ms }, 'tcp connection ended')
    if (entry.user !== undefined && ending.outcome === 'refused') await closeInOrder(socket)
    socket.destroy()
  }

  /** A socket that is closed with unread bytes in it resets the connection, which a client takes for a failure of the network. */
  async function closeInOrder(socket: Socket): Promise<void> {
    if (socket.destroyed) return
    const closed = new Promise((resolve) => socket.once('close', resolve))
    const late = setTimer(lingerMs, () => socket.destroy())
    socket.end()
    socket.resume()
    await closed
    late[Symbol.dispose]()
  }
}
