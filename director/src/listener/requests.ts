// Serves one HTTP request: admits it, finds a seat, and forwards it, or answers with a page or a problem.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bannerPath } from '@berth/shared/contract'
import type { Problem, ProblemCode } from '@berth/shared/problems'
import { requestIdHeader } from '@berth/shared/request-id'
import type { PassThrough } from '../spawner/pass-through.ts'
import { failureDetail, tooManyDetail, type Refusals } from './refusals.ts'
import type { ConnectionPools } from '../forward/connection-pools.ts'
import { discardUpload, type Grace } from '../forward/discard-upload.ts'
import { watchResponseClose } from '../forward/watch-hang-up.ts'
import { forwardRequest } from '../forward/forward-request.ts'
import type { ForwardOutcome } from '../forward/outcome.ts'
import { askForPage, endWithScript } from '../forward/page-end.ts'
import type { Welcome } from '../guests/welcome.ts'
import type { HeaderScrub } from '../headers/scrub.ts'
import type { Seat } from '../leases/lease-table.ts'
import type { UseLog } from '../leases/use-log.ts'
import { pathOf } from '../routing/path-prefix.ts'
import {
  clientGone,
  faulty,
  clientGoneStatus,
  withReason,
  type AccessLog,
  type Ending,
  type Entry,
} from './access-log.ts'
import {
  wantsPage,
  workspaceOf,
  type Admission,
  type Admit,
  type AdmittedRequest,
  type PortalRequest,
  type Redirect,
} from './admission.ts'
import type { Impersonations } from './impersonations.ts'
import type { Metrics } from './metrics.ts'
import type { NoticeAction } from './notice-page.ts'
import { countedAs, type PersonLimits } from './person-limits.ts'
import { beginRequestActivity } from './request-activity.ts'
import { createWaitingPeople } from './waiting-people.ts'
import { restingWorker, restingWorkerHeaders, wantsRestingWorker } from './resting-worker.ts'
import {
  createSeating,
  spawnerUnreachableDetail,
  unseatedProblem,
  type SeatingDeps,
} from './seating.ts'
import {
  clearCookiesAction,
  clearCookiesPath,
  type ServeClearCookies,
} from '../sign-out/clear-cookies.ts'
import { signOutPath, type ServeSignOut } from '../sign-out/serve-sign-out.ts'

export interface Deadlines {
  /** `LOADING_PAGE_AFTER`. */
  readonly pageAfterMs: number
  /** `REQUEST_WAIT_TIMEOUT`. */
  readonly waitMs: number
  /** `WORKSPACE_TIMEOUT`. */
  readonly answerMs: number
}

/** What requests and upgrades need in common. */
export interface ServeDeps extends SeatingDeps {
  readonly admit: Admit
  readonly pools: ConnectionPools
  readonly headers: HeaderScrub
  readonly passThrough: PassThrough
  readonly clearCookies: ServeClearCookies
  /** Absent: there is nothing to sign out of. */
  readonly signOut: ServeSignOut | undefined
  /** Answers clients that are no guest yet. Absent: there are no guests. */
  readonly welcome?: Welcome
  readonly refusals: Refusals
  readonly limits: PersonLimits
  readonly metrics: Metrics
  readonly accessLog: AccessLog
  readonly deadlines: Deadlines
  readonly uses: UseLog
  readonly impersonations: Impersonations
}

/** Never rejects. */
export type ServeRequest = (
  req: IncomingMessage,
  res: ServerResponse,
  expectContinue: boolean,
) => Promise<void>

/** How much of a refused upload is still read: a large one costs both sides, and its content is not needed. */
const refusedGrace: Grace = { ms: 10_000, bytes: 64 * 1024 * 1024 }

export function createServeRequest(deps: ServeDeps): ServeRequest {
  const { admit, table, pools, headers, passThrough, clearCookies, refusals } = deps
  const { signOut, welcome } = deps
  const { limits, metrics, accessLog, deadlines, clock, uses, impersonations } = deps
  const seating = createSeating(deps)
  const waitingPeople = createWaitingPeople(clock)

  interface Exchange {
    readonly req: IncomingMessage
    readonly res: ServerResponse
    readonly expectContinue: boolean
    readonly entry: Entry
    /** The path of the route, once it is known. */
    readonly base?: string
  }

  function refuse(exchange: Exchange, problem: Problem): Ending {
    const { req, base } = exchange
    metrics.refused(problem.code)
    const bytesOut = refusals.toResponse(
      own(exchange),
      problem,
      wantsPage(req),
      actionsFor(problem, req, base),
    )
    discardUpload(req, refusedGrace)
    const { code, status } = problem
    return { outcome: 'refused', status, code, bytesIn: 0, bytesOut }
  }

  /** The response, for an answer of the director itself. */
  function own({ res, entry }: Exchange): ServerResponse {
    return res.setHeader(requestIdHeader, entry.requestId)
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
        const bySpawner = as !== 'forwarded' || outcome.kind === 'not-sent'
        const refused = bySpawner
          ? refuseWith(exchange, 'spawner_unreachable', spawnerUnreachableDetail)
          : refuseWith(exchange, outcome.code, failureDetail(outcome))
        return { ...refused, outcome: 'failed', cause: outcome.cause, bytesIn } as const
      }
    }
  }

  const passed = (
    { req, res, expectContinue, entry: { requestId } }: Exchange,
    admitted: AdmittedRequest,
  ) => ({
    req,
    res,
    expectContinue,
    requestId,
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
    const { host, remoteAddress, proof, route, kind, innerTarget: target } = admitted
    entry.workspace = seat.lease.workspace
    const pageRequest =
      route.banner === true && kind.navigation ? askForPage(req.rawHeaders) : undefined
    using use = beginRequestActivity({
      activity: seat.activity,
      clock,
      windowMs: route.connectionIdleMs,
      background: kind.background,
      uses,
      workspace: seat.lease.workspace,
      method: req.method ?? '',
      path: pathOf(admitted.innerTarget),
    })
    return await forwardRequest({
      req,
      res,
      dispatcher: pools.get(seat.lease),
      freshConnection: () => pools.fresh(seat.lease),
      target,
      requestId: entry.requestId,
      headers: headers.toWorkspace(pageRequest ?? req.rawHeaders, {
        requestId: entry.requestId,
        remoteAddress,
        host,
        proof,
        route,
        endsAt: seat.lease.endsAt,
        as: admitted.as,
      }),
      toClient(rawHeaders) {
        use.sawHeaders(rawHeaders)
        return headers.toClient(rawHeaders, { host, path: route.path, target })
      },
      endAnswer: pageRequest && endWithScript(admitted.base + bannerPath),
      answerTimeoutMs: deadlines.answerMs,
      expectContinue,
      hooks: use.hooks,
    })
  }

  /** A page that loads itself again sends a background request, unless its person waits for the workspace. As use, it would
   * keep a workspace running whose idle step is due: some pages do so when their own background request was refused. */
  function withoutPerson(admitted: AdmittedRequest, waitsSince: number | undefined) {
    const { kind } = admitted
    if (!kind.byItself || waitsSince !== undefined) return admitted
    return { ...admitted, kind: { ...kind, background: true, start: 'no' } as const }
  }

  function noteWaiting({ kind, seatKey }: AdmittedRequest, { startedAt }: Entry): void {
    if (!kind.navigation || kind.start !== 'start') return
    if (kind.byItself) waitingPeople.stillWaits(seatKey)
    else waitingPeople.waits(seatKey, startedAt)
  }

  async function serveWorkspace(exchange: Exchange, asked: AdmittedRequest): Promise<Ending> {
    const { res, entry } = exchange
    const waitsSince = asked.kind.byItself ? waitingPeople.waitsSince(asked.seatKey) : undefined
    const admitted = withoutPerson(asked, waitsSince)
    const { navigation } = admitted.kind
    const result = await seating({
      admitted,
      entry,
      navigation,
      waitsSince,
      until: entry.startedAt + (navigation ? deadlines.pageAfterMs : deadlines.waitMs),
      watchHangUp: () => watchResponseClose(res),
      async attempt(seat, inHand) {
        waitingPeople.served(admitted.seatKey)
        if (inHand) metrics.handedOver(clock.now() - entry.startedAt)
        const outcome = await forward(exchange, admitted, seat)
        return outcome.kind === 'not-sent' ? undefined : ending(exchange, outcome, 'forwarded')
      },
    })
    if ('outcome' in result) return result
    if (result.status === 'client-gone') return clientGone
    noteWaiting(admitted, entry)
    if (result.status === 'refused' && wantsRestingWorker(exchange.req, result.problem.code))
      return rest(exchange)
    if (!navigation || result.status === 'unreachable' || result.status === 'closing')
      return refuse(exchange, unseatedProblem(result, refusals))
    if (result.status === 'refused') metrics.refused(result.problem.code)
    return await page(exchange, admitted, result.status)
  }

  function rest(exchange: Exchange): Ending {
    own(exchange).writeHead(200, restingWorkerHeaders).end(restingWorker)
    discardUpload(exchange.req, refusedGrace)
    return { outcome: 'own', status: 200, bytesIn: 0, bytesOut: restingWorker.length }
  }

  /** Clients must not remember it: the next snapshot of routes may change it. */
  function redirect(exchange: Exchange, { status, location }: Redirect): Ending {
    own(exchange)
      .writeHead(status, { location, 'cache-control': 'no-store', 'content-length': '0' })
      .end()
    discardUpload(exchange.req, refusedGrace)
    return { outcome: 'own', status, bytesIn: 0, bytesOut: 0 }
  }

  async function page(
    exchange: Exchange,
    admitted: AdmittedRequest,
    status: 'refused' | 'waiting' | 'no-connection',
  ): Promise<Ending> {
    const unattended = status === 'refused' && admitted.kind.start === 'no'
    const request = { ...passed(exchange, admitted), unattended }
    return ending(exchange, await passThrough.page(request), 'page')
  }

  const passOwn = async (exchange: Exchange, admitted: AdmittedRequest): Promise<Ending> =>
    ending(exchange, await passThrough.own(passed(exchange, admitted)), 'own')

  async function serveSignOut(exchange: Exchange, signOut: ServeSignOut): Promise<Ending> {
    const { req, entry } = exchange
    const { status, bytes } = await signOut(req, own(exchange), entry.requestId)
    discardUpload(req, refusedGrace)
    return { outcome: 'own', status, bytesIn: 0, bytesOut: bytes }
  }

  async function serveClearCookies(exchange: Exchange): Promise<Ending> {
    const { req } = exchange
    const status = await clearCookies(req, own(exchange))
    discardUpload(req, refusedGrace)
    return { outcome: 'own', status, bytesIn: 0, bytesOut: 0 }
  }

  async function passToPortal(exchange: Exchange, admitted: PortalRequest): Promise<Ending> {
    const { req, res, expectContinue, entry } = exchange
    const { requestId } = entry
    const passing = { req, res, expectContinue, requestId, ...admitted }
    const outcome = await passThrough.portal(passing)
    return ending(exchange, outcome, 'own')
  }

  async function serveImpersonation(exchange: Exchange, admitted: AdmittedRequest) {
    const { req, entry } = exchange
    entry.as = admitted.as?.name
    const open = impersonations.begin(admitted.holder.impersonation ?? '', () =>
      req.socket.destroy(),
    )
    return await serveWorkspace(exchange, admitted).finally(() => open[Symbol.dispose]())
  }

  function answer(exchange: Exchange, admission: Extract<Admission, { ok: true }>) {
    if (admission.to === 'portal') return passToPortal(exchange, admission.admitted)
    const { admitted } = admission
    if (admitted.holder.impersonation !== undefined) return serveImpersonation(exchange, admitted)
    if (!admitted.own) return serveWorkspace(exchange, admitted)
    exchange.entry.workspace = workspaceOf(admitted) ?? table.last(admitted.seatKey)?.workspace
    return passOwn(exchange, admitted)
  }

  async function serve(arrived: Exchange): Promise<Ending> {
    const { req, entry } = arrived
    const path = pathOf(req.url ?? '')
    if (path === signOutPath && signOut !== undefined) return await serveSignOut(arrived, signOut)
    if (path === clearCookiesPath) return await serveClearCookies(arrived)
    const welcomed = welcome?.(req, own(arrived))
    if (welcomed !== undefined) {
      discardUpload(req, refusedGrace)
      return { outcome: 'own', status: welcomed.status, bytesIn: 0, bytesOut: welcomed.bytes }
    }
    const admission = admit(req, false)
    if (!admission.ok) {
      if (admission.person !== undefined) entry.user = admission.person.name
      return withReason(refuseWith(arrived, admission.code, admission.detail), admission)
    }
    const { admitted } = admission
    const hasOwnPages = 'base' in admitted && admitted.holder.impersonation === undefined
    const exchange = hasOwnPages ? { ...arrived, base: admitted.base } : arrived
    entry.user = admitted.person.name
    if (admitted.redirect !== undefined) return redirect(exchange, admitted.redirect)
    const taken = limits.take(countedAs(admitted.person), false)
    if ('limit' in taken)
      return refuse(exchange, refusals.problem('limit_connections', tooManyDetail, taken))
    return await answer(exchange, admission).finally(() => taken[Symbol.dispose]())
  }

  return async (req, res, expectContinue) => {
    res.on('error', () => req.socket.destroy())
    const ending = await accessLog.record(req, 'http', (entry) =>
      serve({ req, res, expectContinue, entry }),
    )
    if (ending === faulty) req.socket.destroy()
  }
}

/** What a person can do about a refusal, besides trying again. */
function actionsFor(
  { code }: Problem,
  { url, rawHeaders }: IncomingMessage,
  base: string | undefined,
): NoticeAction[] {
  return [
    ...(code === 'headers_too_long' ? [clearCookiesAction(url ?? '/', rawHeaders)] : []),
    ...(base === undefined ? [] : [{ label: 'Your workspaces', href: `${base}/.berth/` }]),
  ]
}
