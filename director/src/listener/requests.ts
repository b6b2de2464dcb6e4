// One HTTP request from its head to its end: admitted, seated, forwarded, or answered in words.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '@berth/shared/clock'
import type { Problem, ProblemCode } from '@berth/shared/problems'
import type { PassThrough } from '../spawner/pass-through.ts'
import type { Refusals } from './refusals.ts'
import type { SeatRequests } from '../spawner/seat-requests.ts'
import type { ConnectionPools } from '../forward/connection-pools.ts'
import { discardUpload, type Grace } from '../forward/discard-upload.ts'
import { forwardRequest } from '../forward/forward-request.ts'
import type { ForwardOutcome } from '../forward/outcome.ts'
import type { HeaderScrub } from '../headers/scrub.ts'
import type { LeaseTable, Seat } from '../leases/lease-table.ts'
import type { Lease } from '../leases/lease.ts'
import { pause, type SetTimer } from '@berth/shared/timer'
import { clientGoneStatus, type AccessLog, type Ending, type Entry } from './access-log.ts'
import { wantsPage, workspaceOf, type Admit, type AdmittedRequest } from './admission.ts'
import type { Metrics } from './metrics.ts'
import type { PersonLimits } from './person-limits.ts'
import { beginRequestActivity } from './request-activity.ts'

export interface Deadlines {
  /** `LOADING_PAGE_AFTER`. */
  readonly pageAfterMs: number
  /** `REQUEST_WAIT_TIMEOUT`. */
  readonly waitMs: number
  /** `WORKSPACE_TIMEOUT`. */
  readonly answerMs: number
}

/** What requests and upgrades go by. */
export interface ServeDeps {
  readonly admit: Admit
  readonly table: LeaseTable
  readonly seats: SeatRequests
  readonly pools: ConnectionPools
  readonly headers: HeaderScrub
  readonly passThrough: PassThrough
  readonly refusals: Refusals
  readonly limits: PersonLimits
  readonly metrics: Metrics
  readonly accessLog: AccessLog
  readonly deadlines: Deadlines
  readonly clock: Clock
  readonly setTimer: SetTimer
  /** Aborts when whoever still waits for a workspace is to be sent away. */
  readonly closing: AbortSignal
}

export type ServeRequest = (
  req: IncomingMessage,
  res: ServerResponse,
  expectContinue: boolean,
) => Promise<void>

/** What a failure of the workspace is called. */
export const failureDetails: Readonly<
  Record<'workspace_unreachable' | 'workspace_timeout' | 'bad_request', string>
> = {
  workspace_unreachable: 'The workspace ended the connection before it answered.',
  workspace_timeout: 'The workspace did not answer in time.',
  bad_request: 'The request cannot be passed on as it is.',
}

/** Of an upload that was refused: nobody has to carry a large one that nobody wants. */
const refusedGrace: Grace = { ms: 10_000, bytes: 64 * 1024 * 1024 }

export function createServeRequest(deps: ServeDeps): ServeRequest {
  const { admit, table, seats, pools, headers, passThrough, refusals } = deps
  const { limits, metrics, accessLog, deadlines, clock, setTimer, closing } = deps

  interface Exchange {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly expectContinue: boolean
    readonly entry: Entry
  }

  function refuse({ req, res }: Exchange, problem: Problem): Ending {
    metrics.refused(problem.code)
    const bytesOut = refusals.toResponse(res, problem, wantsPage(req))
    discardUpload(req, refusedGrace)
    const { code, status } = problem
    return { outcome: 'refused', status, code, bytesIn: 0, bytesOut }
  }

  const refuseWith = (exchange: Exchange, code: ProblemCode, detail: string): Ending =>
    refuse(exchange, refusals.problem(code, detail))

  function ending(exchange: Exchange, outcome: ForwardOutcome, as: 'forwarded' | 'own' | 'page') {
    const { bytesIn, bytesOut } = outcome
    switch (outcome.kind) {
      case 'answered':
        return { outcome: as, status: outcome.status, bytesIn, bytesOut }
      case 'cut':
        return {
          outcome: 'cut',
          status: outcome.status,
          cause: outcome.cause,
          bytesIn,
          bytesOut,
        } as const
      case 'client-gone':
        return {
          outcome: 'client_gone',
          status: outcome.status ?? clientGoneStatus,
          bytesIn,
          bytesOut,
        } as const
      case 'not-sent':
      case 'failed': {
        const spawnerSilent = as !== 'forwarded' || outcome.kind === 'not-sent'
        const refused = spawnerSilent
          ? refuseWith(exchange, 'spawner_unreachable', spawnerSilentDetail)
          : refuseWith(exchange, outcome.code, failureDetails[outcome.code])
        return { ...refused, outcome: 'failed', cause: outcome.cause, bytesIn } as const
      }
    }
  }

  const passed = ({ req, res, expectContinue }: Exchange, admitted: AdmittedRequest) => ({
    req,
    res,
    expectContinue,
    person: admitted.person,
    proof: admitted.proof,
    template: admitted.route.template,
    workspace: admitted.route.workspace,
    target: admitted.target,
    base: admitted.base,
    ownTarget: admitted.innerTarget,
  })

  async function forward(
    exchange: Exchange,
    admitted: AdmittedRequest,
    seat: Seat,
  ): Promise<ForwardOutcome> {
    const { req, res, expectContinue, entry } = exchange
    const { host, remoteAddress, proof, route, kind } = admitted
    entry.workspace = seat.lease.workspace
    using use = beginRequestActivity({
      activity: seat.activity,
      clock,
      windowMs: route.connectionIdleMs,
      background: kind.background,
    })
    return await forwardRequest({
      req,
      res,
      dispatcher: pools.get(seat.lease),
      target: admitted.innerTarget,
      headers: headers.toWorkspace(req.rawHeaders, {
        remoteAddress,
        proof,
        route,
        endsAt: seat.lease.endsAt,
      }),
      toClient(rawHeaders) {
        use.sawHeaders(rawHeaders)
        return headers.toClient(rawHeaders, host)
      },
      answerTimeoutMs: deadlines.answerMs,
      expectContinue,
      hooks: use.hooks,
    })
  }

  async function visit(exchange: Exchange, admitted: AdmittedRequest): Promise<Ending> {
    const inHand = table.current(admitted.seatKey)
    if (inHand === undefined) return await visitAsking(exchange, admitted, undefined)
    metrics.handedOver(clock.now() - exchange.entry.startedAt)
    const outcome = await forward(exchange, admitted, inHand)
    if (outcome.kind !== 'not-sent') return ending(exchange, outcome, 'forwarded')
    return await visitAsking(exchange, admitted, inHand.lease)
  }

  /** @param failed the lease in hand that could not be connected to */
  async function visitAsking(
    exchange: Exchange,
    admitted: AdmittedRequest,
    failed: Lease | undefined,
  ): Promise<Ending> {
    const { res, entry } = exchange
    const { kind, holder, route } = admitted
    entry.workspace = workspaceOf(admitted) ?? table.last(admitted.seatKey)?.workspace
    const { navigation, start } = kind
    const until = entry.startedAt + (navigation ? deadlines.pageAfterMs : deadlines.waitMs)
    const gone = new AbortController()
    const hangUp = (): void => gone.abort()
    res.on('close', hangUp)
    const signal = AbortSignal.any([gone.signal, closing])
    try {
      for (let round = 0; ; round += 1) {
        if (failed !== undefined) table.dropGeneration(failed.generation)
        if (round > 0 && clock.now() >= until)
          return navigation
            ? await page(exchange, admitted)
            : refuseWith(exchange, 'workspace_unreachable', noConnectionDetail)
        if (round > 1) await pause(setTimer, retryPauseMs(round), signal)
        const pending = { holder, route, start, navigation, until, failed, signal }
        const found = await seats.request(pending)
        switch (found.status) {
          case 'granted': {
            const outcome = await forward(exchange, admitted, found.seat)
            if (outcome.kind !== 'not-sent') return ending(exchange, outcome, 'forwarded')
            failed = found.seat.lease
            continue
          }
          case 'aborted':
            if (gone.signal.aborted) return clientGone
            return refuseWith(exchange, 'shutting_down', 'Please try again in a moment.')
          case 'unreachable':
            return refuseWith(exchange, 'spawner_unreachable', spawnerSilentDetail)
          case 'waiting':
            if (!navigation) return refuseWith(exchange, 'starting', stillStartingDetail)
            return await page(exchange, admitted)
          case 'refused':
            if (!navigation) return refuse(exchange, found.problem)
            metrics.refused(found.problem.code)
            return await page(exchange, admitted)
        }
      }
    } finally {
      res.off('close', hangUp)
    }
  }

  /** Not to be remembered: what lies where may change with the next snapshot of routes. */
  function redirect({ req, res }: Exchange, location: string): Ending {
    res.writeHead(308, { location, 'cache-control': 'no-store', 'content-length': '0' }).end()
    discardUpload(req, refusedGrace)
    return { outcome: 'own', status: 308, bytesIn: 0, bytesOut: 0 }
  }

  const page = async (exchange: Exchange, admitted: AdmittedRequest): Promise<Ending> =>
    ending(exchange, await passThrough.page(passed(exchange, admitted)), 'page')

  const passOwn = async (exchange: Exchange, admitted: AdmittedRequest): Promise<Ending> =>
    ending(exchange, await passThrough.own(passed(exchange, admitted)), 'own')

  async function serve(exchange: Exchange): Promise<Ending> {
    const { req, entry } = exchange
    const admission = admit(req, false)
    if (!admission.ok) {
      if (admission.person !== undefined) entry.user = admission.person.name
      return refuseWith(exchange, admission.code, admission.detail)
    }
    const { admitted } = admission
    entry.user = admitted.person.name
    if (admitted.location !== undefined) return redirect(exchange, admitted.location)
    const taken = limits.take(admitted.person.name, false)
    if ('limit' in taken)
      return refuse(exchange, refusals.problem('limit_connections', tooManyDetail, taken))
    if (admitted.own)
      entry.workspace = workspaceOf(admitted) ?? table.last(admitted.seatKey)?.workspace
    const served = admitted.own ? passOwn(exchange, admitted) : visit(exchange, admitted)
    return await served.finally(() => taken[Symbol.dispose]())
  }

  return async (req, res, expectContinue) => {
    const entry = accessLog.begin(req, 'http')
    res.on('error', () => req.socket.destroy())
    accessLog.end(entry, await serve({ req, res, expectContinue, entry }))
  }
}

const clientGone: Ending = {
  outcome: 'client_gone',
  status: clientGoneStatus,
  bytesIn: 0,
  bytesOut: 0,
}

export const tooManyDetail =
  'You have too many requests or connections open at once. Close some pages, or wait for some to end.'
export const noConnectionDetail =
  'The workspace takes no connections. Please try again in a moment.'
export const stillStartingDetail = 'The workspace is still starting. Please try again in a moment.'
export const spawnerSilentDetail =
  'What starts workspaces does not answer at the moment. Workspaces that are running go on.'

/** Between rounds that found a seat whose workspace could not be connected to. */
export function retryPauseMs(round: number): number {
  return Math.min(1_000, 50 * round)
}
