// Serves one WebSocket from its handshake to its end, in the same steps as a request. Refusals go to the bare socket.
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Problem, ProblemCode } from '@berth/shared/problems'
import { countedAs } from './person-limits.ts'
import { createKeepSeat } from './keep-seat.ts'
import type { UpgradeForwarder } from '../forward/forward-upgrade.ts'
import { createJudgedDivision } from '../forward/client-frames.ts'
import type { UpgradedConnection, UpgradeHooks } from '../forward/upgraded-connection.ts'
import { watchHangUp } from '../forward/watch-hang-up.ts'
import { filterHeaders } from '../headers/raw-headers.ts'
import type { Seat } from '../leases/lease-table.ts'
import { pathOf } from '../routing/path-prefix.ts'
import type { FrameRules, Heartbeat } from '../routing/quiet-frames.ts'
import { clientGone, faulty, withReason, type Ending, type Entry } from './access-log.ts'
import { noWebSocketDetail, type AdmittedRequest } from './admission.ts'
import { createHeartbeats, type Heartbeats } from './heartbeats.ts'
import { failureDetail, tooManyDetail } from './refusals.ts'
import type { ServeDeps } from './requests.ts'
import { beginRequestActivity } from './request-activity.ts'
import { createSeating, unseatedProblem } from './seating.ts'

export interface UpgradeDeps extends Omit<
  ServeDeps,
  'passThrough' | 'pools' | 'signOut' | 'clearCookies'
> {
  readonly forwardUpgrade: UpgradeForwarder
  /** `CONNECTION_MAX_AGE`; 0 is off. */
  readonly maxAgeMs: number
}

export interface Upgrades {
  /** Never rejects. */
  serve(req: IncomingMessage, socket: Socket, head: Buffer): Promise<void>
  /** Closes every open WebSocket with 1012. */
  closeAll(): void
  /** Closes those to a container that is about to be stopped with 1012: a page must not answer what a frozen application
   * still says when it is thawed for its stop. */
  closeGeneration(generation: string): void
}

export function createUpgrades(deps: UpgradeDeps): Upgrades {
  const { admit, table, seats, headers, refusals, limits, metrics, accessLog } = deps
  const { deadlines, clock, setTimer, closing, forwardUpgrade, maxAgeMs, uses, impersonations } =
    deps
  const seating = createSeating(deps)
  const keepSeat = createKeepSeat({ ...deps, waitMs: deadlines.waitMs })
  /** The open ones, each with the generation that it leads to. */
  const connections = new Map<UpgradedConnection, string>()
  let ended = false

  interface Exchange {
    readonly req: IncomingMessage
    readonly socket: Socket
    readonly head: Buffer
    readonly entry: Entry
  }

  function refuse({ socket, entry }: Exchange, problem: Problem): Ending {
    metrics.refused(problem.code)
    const bytesOut = refusals.toSocket(socket, problem, entry.requestId)
    const { code, status } = problem
    return { outcome: 'refused', status, code, bytesIn: 0, bytesOut }
  }

  const refuseWith = (exchange: Exchange, code: ProblemCode, detail: string): Ending =>
    refuse(exchange, refusals.problem(code, detail))

  /** After a background handshake no frame is use, unless rules name the path: then they decide. */
  function frameHooks(
    requestId: string,
    admitted: AdmittedRequest,
    { activity, lease }: Seat,
    rules: FrameRules | undefined,
    gone: AbortSignal,
  ): UpgradeHooks {
    if (admitted.kind.background && rules === undefined) return {}
    const path = pathOf(admitted.innerTarget)
    return {
      onUse(bytes) {
        activity.touch()
        uses.note(lease.workspace, { what: 'frame', method: 'GET', path }, bytes)
      },
      onClientData: keepSeat({ ...admitted, requestId }, lease, gone),
      ...(rules === undefined ? {} : judged(admitted, rules)),
    }
  }

  const judged = ({ seatKey }: AdmittedRequest, rules: FrameRules): UpgradeHooks => ({
    divide: createJudgedDivision({
      isQuiet: rules.judge(clock),
      longestPrefix: rules.longestPrefix,
    }),
    mayBeFrozen: () => table.current(seatKey) === undefined,
  })

  /** Whether the workspace can speak for itself on this connection: it is not frozen, as far as is known. */
  async function runs(
    requestId: string,
    { seatKey, holder, route }: AdmittedRequest,
    gone: AbortSignal,
  ) {
    if (table.current(seatKey) !== undefined) return true
    const signal = AbortSignal.any([gone, closing])
    const asked = { holder, route, start: 'no', navigation: false, until: clock.now() } as const
    const { status } = await seats.request({ ...asked, requestId, signal })
    return status === 'granted' || status === 'waiting'
  }

  async function keepOpen(connection: UpgradedConnection, generation: string): Promise<Ending> {
    connections.set(connection, generation)
    const age =
      maxAgeMs > 0
        ? setTimer(maxAgeMs, () => connection.close(1001, 'maximum age reached'))
        : undefined
    if (ended) connection.close(1012)
    const { bytesIn, bytesOut } = await connection.closed
    age?.[Symbol.dispose]()
    connections.delete(connection)
    return { outcome: 'forwarded', status: 101, bytesIn, bytesOut }
  }

  /** @returns `undefined` when nothing was sent: another seat may be tried */
  async function forward(
    exchange: Exchange,
    admitted: AdmittedRequest,
    seat: Seat,
  ): Promise<Ending | undefined> {
    const { req, socket, head, entry } = exchange
    const { requestId } = entry
    const { host, remoteAddress, proof, route, kind, innerTarget } = admitted
    const rules = route.frameRules(innerTarget)
    const offered = rules?.readsPayload === true ? uncompressed(req.rawHeaders) : req.rawHeaders
    entry.workspace = seat.lease.workspace
    using use = beginRequestActivity({
      activity: seat.activity,
      clock,
      windowMs: route.connectionIdleMs,
      background: kind.background,
      uses,
      workspace: seat.lease.workspace,
      method: req.method ?? '',
      path: pathOf(innerTarget),
    })
    const gone = new AbortController()
    const startHeartbeats = ({ say }: UpgradedConnection, heartbeat: Heartbeat) =>
      createHeartbeats({
        clock,
        setTimer,
        heartbeat,
        say,
        runs: () => runs(requestId, admitted, gone.signal),
      })
    let heartbeats: Heartbeats | undefined
    const outcome = await forwardUpgrade({
      req,
      socket,
      head,
      address: seat.lease.address,
      target: innerTarget,
      requestId,
      headers: headers.toWorkspace(offered, {
        requestId,
        remoteAddress,
        host,
        proof,
        route,
        endsAt: seat.lease.endsAt,
        as: admitted.as,
      }),
      toClient: (rawHeaders) =>
        headers.toClient(rawHeaders, { host, path: route.path, target: innerTarget }),
      answerTimeoutMs: deadlines.answerMs,
      hooks: {
        ...use.hooks,
        // Data that a server pushes is no use.
        onDrained: () => undefined,
        ...frameHooks(requestId, admitted, seat, rules, gone.signal),
        onHeard: () => heartbeats?.heard(),
      },
    })
    switch (outcome.kind) {
      case 'open': {
        const { connection } = outcome
        heartbeats = rules?.heartbeat && startHeartbeats(connection, rules.heartbeat)
        return await keepOpen(connection, seat.lease.generation).finally(() => {
          gone.abort()
          heartbeats?.[Symbol.dispose]()
        })
      }
      case 'answered':
      case 'cut': {
        const { kind: how, status, bytesIn, bytesOut } = outcome
        return { outcome: how === 'cut' ? 'cut' : 'forwarded', status, bytesIn, bytesOut }
      }
      case 'not-sent':
        return undefined
      case 'failed': {
        const refused = refuseWith(exchange, outcome.code, failureDetail(outcome))
        return { ...refused, outcome: 'failed', cause: outcome.cause }
      }
      case 'client-gone':
        return clientGone
    }
  }

  async function serveWorkspace(exchange: Exchange, admitted: AdmittedRequest): Promise<Ending> {
    const { socket, entry } = exchange
    const result = await seating({
      admitted,
      entry,
      navigation: false,
      until: entry.startedAt + deadlines.waitMs,
      watchHangUp: () => watchHangUp(socket),
      attempt: (seat) => forward(exchange, admitted, seat),
    })
    if ('outcome' in result) return result
    if (result.status === 'client-gone') return clientGone
    return refuse(exchange, unseatedProblem(result, refusals))
  }

  async function serve(exchange: Exchange): Promise<Ending> {
    const { req, entry } = exchange
    const admission = admit(req, true)
    if (!admission.ok) {
      if (admission.person !== undefined) entry.user = admission.person.name
      return withReason(refuseWith(exchange, admission.code, admission.detail), admission)
    }
    entry.user = admission.admitted.person.name
    if (admission.to === 'portal' || admission.admitted.own)
      return refuseWith(exchange, 'bad_request', noWebSocketDetail)
    const { admitted } = admission
    const taken = limits.take(countedAs(admitted.person), true)
    if ('limit' in taken)
      return refuse(exchange, refusals.problem('limit_connections', tooManyDetail, taken))
    const { as, holder } = admitted
    if (holder.impersonation !== undefined) exchange.entry.as = as?.name
    const open = impersonations.begin(holder.impersonation ?? '', () => exchange.socket.destroy())
    return await serveWorkspace(exchange, admitted).finally(() => {
      open[Symbol.dispose]()
      taken[Symbol.dispose]()
    })
  }

  return {
    async serve(req, socket, head) {
      // The close event that follows is handled; the error adds nothing.
      socket.on('error', () => socket.destroy())
      const ending = await accessLog.record(req, 'websocket', (entry) =>
        serve({ req, socket, head, entry }),
      )
      if (ending.outcome === 'client_gone' || ending === faulty) socket.destroy()
    },
    closeAll() {
      ended = true
      for (const connection of connections.keys()) connection.close(1012)
    },
    closeGeneration(ending) {
      for (const [connection, generation] of connections)
        if (generation === ending) connection.close(1012)
    },
  }
}

/** Without the client's offer of compression, which is the only extension that browsers have. */
function uncompressed(rawHeaders: readonly string[]): string[] {
  return filterHeaders(rawHeaders, (name) => name !== 'sec-websocket-extensions')
}
