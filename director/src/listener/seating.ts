// Finds a seat for an admitted request and tries it. When the workspace of that seat takes no connection, another seat is
// requested, until the deadline.
import type { Clock } from '@berth/shared/clock'
import type { Problem } from '@berth/shared/problems'
import { pause, type SetTimer } from '@berth/shared/timer'
import type { NamedRoute } from '../spawner/name-lookup.ts'
import type { HangUpWatch } from '../forward/watch-hang-up.ts'
import type { LeaseTable, Seat } from '../leases/lease-table.ts'
import type { Lease } from '../leases/lease.ts'
import type { PendingSeatRequest, SeatRequests, SeatResult } from '../spawner/seat-requests.ts'
import { workspaceOf, type AdmittedRequest } from './admission.ts'
import type { Refusals } from './refusals.ts'

export interface SeatingDeps {
  readonly table: LeaseTable
  readonly seats: SeatRequests
  readonly clock: Clock
  readonly setTimer: SetTimer
  /** Aborts when requests may no longer wait for a workspace. */
  readonly closing: AbortSignal
}

/** @typeParam Ended how it ends once it was sent */
export interface SeatedRequest<Ended> {
  readonly admitted: Pick<AdmittedRequest, 'holder' | 'seatKey'> &
    Partial<Pick<AdmittedRequest, 'person' | 'as'>> & {
      readonly route: NamedRoute
      readonly kind: Pick<AdmittedRequest['kind'], 'start'>
      readonly protocol?: PendingSeatRequest['protocol']
    }
  /** Learns the workspace. */
  readonly entry: { readonly requestId: string; workspace?: string | undefined }
  /** Whether a page is shown while the workspace is not ready. */
  readonly navigation: boolean
  /** Since when a person waits for it at pages that load themselves again. On the director's clock, as `until`. */
  readonly waitsSince?: number | undefined
  readonly until: number
  /** Notices that the client hangs up; disposed before a seat is tried. */
  readonly watchHangUp: () => HangUpWatch
  /**
   * Sends the request to the seat's workspace.
   *
   * @param inHand the lease was there already: the spawner was not asked
   * @returns `undefined` when nothing was sent: another seat may be tried
   */
  readonly attempt: (seat: Seat, inHand: boolean) => Promise<Ended | undefined>
}

/** Why no seat was found, or none that took a connection. */
export type Unseated =
  | Exclude<SeatResult, { readonly status: 'granted' | 'aborted' }>
  /** Seats were granted, but no workspace accepted a connection before the deadline. */
  | { readonly status: 'no-connection' }
  | { readonly status: 'closing' }
  | { readonly status: 'client-gone' }

export type Seating = <Ended>(request: SeatedRequest<Ended>) => Promise<Ended | Unseated>

export function createSeating(deps: SeatingDeps): Seating {
  const { table, seats, clock, setTimer, closing } = deps

  async function find(
    { admitted, entry, navigation, waitsSince, until, watchHangUp }: SeatedRequest<unknown>,
    failed: Lease | undefined,
    round: number,
  ): Promise<Seat | Unseated> {
    const { holder, route, kind, seatKey, protocol } = admitted
    entry.workspace = workspaceOf(admitted) ?? table.last(seatKey)?.workspace
    using hangUp = watchHangUp()
    const signal = AbortSignal.any([hangUp.signal, closing])
    if (round > 1) await pause(setTimer, retryPauseMs(round), signal)
    const { start } = kind
    const { requestId } = entry
    const asked = {
      ...{ holder, route, start, navigation, waitsSince, until, failed, requestId, signal },
      ...(protocol === undefined ? {} : { protocol }),
    }
    const answer = await seats.request(asked)
    const { person, as } = admitted
    // Nothing of an administrator's groups counts for the owner whose workspace they have opened.
    const groups = as === undefined ? person?.groups : undefined
    const mayBeMember = groups !== undefined && groups.length > holder.user.groups.length
    const result =
      person !== undefined && mayBeMember && isForbidden(answer)
        ? await seats.request({ ...asked, holder: { ...holder, user: person } })
        : answer
    if (result.status === 'granted') return result.seat
    if (result.status !== 'aborted') return result
    return { status: hangUp.signal.aborted ? 'client-gone' : 'closing' }
  }

  return async (request) => {
    const { admitted, until, attempt } = request
    let failed: Lease | undefined
    const inHand = table.current(admitted.seatKey)
    if (inHand !== undefined) {
      const ending = await attempt(inHand, true)
      if (ending !== undefined) return ending
      failed = inHand.lease
    }
    for (let round = 0; ; round += 1) {
      if (failed !== undefined) table.dropGeneration(failed.generation)
      if (round > 0 && clock.now() >= until) return { status: 'no-connection' }
      const found = await find(request, failed, round)
      if ('status' in found) return found
      const ending = await attempt(found, false)
      if (ending !== undefined) return ending
      failed = found.lease
    }
  }
}

/** A spawner that was started again may admit a group that it has not named to this director yet. */
const isForbidden = (result: SeatResult): boolean =>
  result.status === 'refused' && result.problem.code === 'template_forbidden'

/** Between two seats whose workspaces took no connection. */
function retryPauseMs(round: number): number {
  return Math.min(1_000, 50 * round)
}

export function unseatedProblem(
  unseated: Exclude<Unseated, { readonly status: 'client-gone' }>,
  refusals: Pick<Refusals, 'problem'>,
): Problem {
  switch (unseated.status) {
    case 'refused':
      return unseated.problem
    case 'unreachable':
      return refusals.problem('spawner_unreachable', spawnerUnreachableDetail)
    case 'waiting':
      return refusals.problem(
        'starting',
        'The workspace is still starting. Please try again in a moment.',
      )
    case 'no-connection':
      return refusals.problem(
        'workspace_unreachable',
        'The workspace accepts no connections. Please try again in a moment.',
      )
    case 'closing':
      return refusals.problem('shutting_down', 'Please try again in a moment.')
  }
}

export const spawnerUnreachableDetail =
  'The service that starts workspaces does not answer at the moment. Workspaces that are already running stay available.'
