// Requests a seat for a request without a lease, until there is one, a refusal or the deadline. Identical requests that
// wait at the same time share one call to the spawner.
import type { Clock } from '@berth/shared/clock'
import type { SeatAnswer, SeatRequest } from '@berth/shared/contract'
import type { Log } from '@berth/shared/log'
import { createProblem } from '@berth/shared/problems'
import { poolContains, type SubnetPool } from '@berth/shared/subnet-pool'
import { createSharedCalls } from '@berth/shared/shared-calls'
import type { LeaseTable, Seat } from '../leases/lease-table.ts'
import { seatKey, type Lease, type SeatHolder } from '../leases/lease.ts'
import { pause, type SetTimer } from '@berth/shared/timer'
import { samePlace, type NamedRoute, type NameLookup } from './name-lookup.ts'
import { answerGraceMs, type SeatFailure, type Spawner } from './client.ts'

/** The contract's request, as it is repeated until its deadline. */
export interface PendingSeatRequest extends Pick<SeatRequest, 'start' | 'navigation'> {
  readonly holder: SeatHolder
  readonly route: NamedRoute
  /** Since when a person waits for it, if that began before this request. On the director's clock, as `until`. */
  readonly waitsSince?: number | undefined
  /** The spawner is called at least once, even when this has passed. */
  readonly until: number
  /** The lease that could not be connected to. */
  readonly failed?: Lease | undefined
  /** Of the request that needs the seat. */
  readonly requestId: string
  /** Absent: HTTP. */
  readonly protocol?: SeatRequest['protocol']
  /** Told again and again how the workspace stands, while the request waits. */
  readonly told?: (progress: Progress) => void
  readonly signal: AbortSignal
}

/** How far a workspace is that is getting ready. */
export type Progress = Omit<Extract<SeatAnswer, { status: 'waiting' }>, 'status'>

/** The contract's answer with the grant entered in the lease table, or why there is no such answer. */
export type SeatResult =
  | { readonly status: 'granted'; readonly seat: Seat }
  /** The deadline has passed, and the workspace is still getting ready. */
  | { readonly status: 'waiting'; readonly progress?: Progress }
  | SeatFailure
  | { readonly status: 'aborted' }

export interface SeatRequests {
  /** Never rejects. */
  request(request: PendingSeatRequest): Promise<SeatResult>
  /** The spawner can be reached again: call it before looking up a name. */
  spawnerReachable(): void
}

export interface SeatRequestsDeps {
  readonly table: LeaseTable
  readonly requestSeat: Spawner['requestSeat']
  readonly lookUp: NameLookup
  readonly pool: SubnetPool
  /** The base URL of the pages that explain problems. */
  readonly problemBase: string | undefined
  readonly clock: Clock
  readonly setTimer: SetTimer
  readonly log: Log
}

/** No call is held longer, so that a lost one is noticed. */
const longestHoldMs = 25_000
/** The first call is held for less, so that a spawner that hangs delays a request only briefly. */
const firstHoldMs = 1_000
/** How long a request that already waits survives an outage of the spawner, such as its restart. */
const outageMs = 15_000
/** How long a spawner that answers too late is asked again, also for a person who would be shown a page. */
const lateMs = 10_000
/** Between two calls when the spawner answers "waiting" at once. */
const pauseMs = 250
/** With less than this left before its deadline, a request is over. */
const tooShortMs = 20

/** The signal of a caller that never leaves. */
const { signal: never } = new AbortController()

export function createSeatRequests(deps: SeatRequestsDeps): SeatRequests {
  const { table, requestSeat, lookUp, pool, clock, setTimer, log } = deps
  const calls = createSharedCalls<SeatResult>()
  const lookups = createSharedCalls<Lease | undefined>()
  /** The last call failed: names are looked up before the next one. */
  let unreachable = false

  async function call(
    request: PendingSeatRequest,
    first: boolean,
    signal: AbortSignal,
  ): Promise<SeatResult> {
    const { holder, start, navigation, waitsSince, until, failed, requestId } = request
    const { protocol, told } = request
    const askedAt = clock.now()
    const holdMs = first || told !== undefined ? firstHoldMs : longestHoldMs
    const answer = await requestSeat(
      {
        ...holder,
        start,
        navigation,
        ...(protocol === undefined ? {} : { protocol }),
        waitMs: Math.round(Math.min(holdMs, Math.max(0, until - askedAt))),
        ...(waitsSince === undefined ? {} : { waitedMs: Math.round(askedAt - waitsSince) }),
        // Named once: the spawner must not check again what it has checked since.
        ...(first && failed?.byName === false ? { unreachable: failed.generation } : {}),
      },
      signal,
      requestId,
    )
    if (signal.aborted) return { status: 'aborted' }
    if (answer.status === 'unreachable') {
      if (!unreachable)
        log.warn({ requestId, error: answer.cause }, 'seat could not be requested from the spawner')
      unreachable = true
      return answer
    }
    unreachable = false
    if (answer.status === 'granted') return grant(request, answer, askedAt)
    if (answer.status !== 'waiting') return answer
    const { status, ...progress } = answer
    return { status, progress }
  }

  function grant(
    { holder, requestId }: PendingSeatRequest,
    answer: Extract<SeatAnswer, { status: 'granted' }>,
    askedAt: number,
  ): SeatResult {
    const { workspace, generation, address, leaseMs, endsAt } = answer
    if (!poolContains(pool, address.host)) {
      log.error(
        { requestId, workspace, address },
        'spawner granted an address outside NETWORK_POOL: set the same NETWORK_POOL for both services',
      )
      const detail =
        'The address of the workspace is outside the network of workspaces. Please tell an administrator.'
      const problem = createProblem(deps.problemBase, 'workspace_unreachable', detail)
      return { status: 'refused', problem }
    }
    const expiresAt = askedAt + leaseMs
    if (expiresAt <= clock.now()) return { status: 'waiting' }
    const lease = { workspace, generation, address, askedAt, expiresAt, byName: false, endsAt }
    return { status: 'granted', seat: table.grant(holder, lease) }
  }

  /** @param signal ends this request's share of the call; the call goes on for the requests that share it */
  function join(
    request: PendingSeatRequest,
    key: string,
    first: boolean,
    signal: AbortSignal,
  ): Promise<SeatResult> {
    const { start, navigation, waitsSince, failed, protocol, told } = request
    const hold = first || told !== undefined
    const waiting = [start, navigation, waitsSince, first, hold]
    const shared = [key, ...waiting, protocol, failed?.generation ?? '']
    return calls.join(shared.join('\n'), (ends) => call(request, first, ends), { signal })
  }

  async function callOnce(
    request: PendingSeatRequest,
    key: string,
    first: boolean,
  ): Promise<SeatResult> {
    const late = new AbortController()
    // The call of another request may be held longer than this request can wait.
    const leftMs = Math.max(0, request.until - clock.now()) + answerGraceMs + pauseMs
    const deadline = setTimer(leftMs, () => late.abort())
    try {
      return await join(request, key, first, AbortSignal.any([request.signal, late.signal]))
    } catch (error) {
      if (request.signal.aborted) return { status: 'aborted' }
      if (late.signal.aborted) return { status: 'waiting' }
      throw error
    } finally {
      deadline[Symbol.dispose]()
    }
  }

  async function findByName(request: PendingSeatRequest, key: string): Promise<Seat | undefined> {
    const lease = await lookups.join(
      key,
      () => lookUp(request.holder, request.route, table.last(key)),
      { signal: never },
    )
    const current = table.current(key)
    if (current !== undefined || lease === undefined) return current
    // This address did not answer a moment ago.
    if (request.failed !== undefined && samePlace(request.failed, lease)) return undefined
    return table.grant(request.holder, lease)
  }

  /** Learns whether the spawner can be reached again. This request does not wait for it: later ones use the answer. */
  function callInBackground(request: PendingSeatRequest, key: string): void {
    void join(request, key, true, never)
  }

  const pauseBeforeNext = ({ until, signal }: PendingSeatRequest): Promise<void> =>
    pause(setTimer, Math.min(pauseMs, Math.max(0, until - clock.now())), signal)

  async function request(pending: PendingSeatRequest): Promise<SeatResult> {
    const key = seatKey(pending.holder)
    let waited = false
    let outageSince: number | undefined
    const beganAt = clock.now()
    for (;;) {
      if (pending.signal.aborted) return { status: 'aborted' }
      const current = table.current(key)
      if (current !== undefined) return { status: 'granted', seat: current }
      const byName = unreachable ? await findByName(pending, key) : undefined
      if (byName !== undefined) {
        callInBackground(pending, key)
        return { status: 'granted', seat: byName }
      }

      const askedAt = clock.now()
      const result = await callOnce(pending, key, !waited)
      const over = pending.until - clock.now() < tooShortMs
      if (result.status === 'waiting') {
        if (result.progress !== undefined) pending.told?.(result.progress)
        if (over) return result
        waited = true
        outageSince = undefined
        if (clock.now() - askedAt < pauseMs) await pauseBeforeNext(pending)
        continue
      }
      if (result.status !== 'unreachable') return result
      const seat = await findByName(pending, key)
      if (seat !== undefined) return { status: 'granted', seat }
      if (result.late === true && clock.now() - beganAt < lateMs) {
        await pause(setTimer, pauseMs, pending.signal)
        continue
      }
      outageSince ??= clock.now()
      if (!waited || over || clock.now() - outageSince > outageMs) return result
      await pauseBeforeNext(pending)
    }
  }

  return {
    request,
    spawnerReachable() {
      unreachable = false
    },
  }
}
