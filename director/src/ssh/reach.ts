// From a login to a seat: who the person is, which template they reach, and its workspace, started or woken if need be.
import type { Clock } from '@berth/shared/clock'
import type { LoginAnswer, LoginChoice, Person, Route, SshServer } from '@berth/shared/contract'
import type { LeaseTable, Seat } from '../leases/lease-table.ts'
import { seatKey, type SeatHolder } from '../leases/lease.ts'
import { createKeepSeat } from '../listener/keep-seat.ts'
import type { PersonLimits } from '../listener/person-limits.ts'
import { spawnerUnreachableDetail } from '../listener/seating.ts'
import type { Spawner } from '../spawner/client.ts'
import type { Progress, SeatRequests } from '../spawner/seat-requests.ts'
import type { LoginName } from './login-name.ts'
import { Refused, refusedBy } from './refused.ts'

export interface ReachDeps {
  readonly spawner: Pick<Spawner, 'login'>
  readonly seats: SeatRequests
  readonly table: LeaseTable
  readonly limits: PersonLimits
  /** As the latest snapshot of routes has it. */
  readonly routeOf: (template: string) => Route | undefined
  /** `SSH_SIGN_IN_AGE`. */
  readonly signInAgeMs: number
  /** `REQUEST_WAIT_TIMEOUT`. */
  readonly waitMs: number
  readonly clock: Clock
  readonly closing: AbortSignal
}

export interface ReachOrder {
  readonly requestId: string
  readonly login: LoginName
  /** Has the person choose one of several templates. @returns `undefined`: they leave */
  readonly choose?: (choices: readonly LoginChoice[]) => Promise<string | undefined>
  /** Told how far the workspace is, for a person who sees it: then it may take longer. */
  readonly told?: (progress: Progress) => void
  readonly leaves: AbortSignal
}

/** A place in a workspace, in use until its disposal. */
export interface Reached extends Disposable {
  readonly person: Person
  readonly seat: Seat
  readonly holder: SeatHolder
  /** Where sessions go. Absent: the spawner runs them in the container. */
  readonly server: SshServer | undefined
  /** Asks before data of the client is passed on: `createKeepSeat()`. */
  readonly mayPass: () => undefined | Promise<boolean>
}

export type Reach = (order: ReachOrder) => Promise<Reached>

/** A person at a terminal sees how long it takes, and leaves when they like. */
const longestWaitMs = 3_600_000

/** The person has chosen nothing. */
export class Left extends Error {}

export function createReach(deps: ReachDeps): Reach {
  const { spawner, seats, limits, clock, closing } = deps
  const keepSeat = createKeepSeat(deps)

  async function ask(order: ReachOrder, template: string | undefined): Promise<LoginAnswer> {
    const { login, leaves, choose } = order
    const known = await spawner.login(
      {
        user: login.user,
        ...(template === undefined ? { offersChoice: choose !== undefined } : { template }),
        maxAgeMs: deps.signInAgeMs,
      },
      leaves,
    )
    leaves.throwIfAborted()
    if (known.status === 'refused') throw refusedBy(known.problem)
    if (known.status !== 'known') throw new Refused('spawner_unreachable', spawnerUnreachableDetail)
    return known.answer
  }

  async function whoIs(order: ReachOrder): Promise<{ person: Person; route: Route }> {
    let answer = await ask(order, order.login.template)
    if ('choices' in answer) {
      const chosen = await order.choose?.(answer.choices)
      order.leaves.throwIfAborted()
      if (chosen === undefined) throw new Left()
      answer = await ask(order, chosen)
    }
    const route = 'template' in answer ? deps.routeOf(answer.template) : undefined
    if (route === undefined) throw new Refused('spawner_unreachable', spawnerUnreachableDetail)
    return { person: answer.person, route }
  }

  async function findSeat(order: ReachOrder, holder: SeatHolder, route: Route): Promise<Seat> {
    const { requestId, told, leaves } = order
    const result = await seats.request({
      holder,
      route,
      start: 'start',
      navigation: false,
      protocol: 'ssh',
      requestId,
      until: clock.now() + (told === undefined ? deps.waitMs : longestWaitMs),
      ...(told === undefined ? {} : { told }),
      signal: AbortSignal.any([leaves, closing]),
    })
    switch (result.status) {
      case 'granted':
        return result.seat
      case 'refused':
        throw refusedBy(result.problem)
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

  return async (order) => {
    const { login, requestId, leaves } = order
    const taken = limits.take(login.user, true)
    if ('limit' in taken)
      throw new Refused('limit_connections', `You have ${taken.limit} connections open.`)
    const left = new AbortController()
    try {
      const { person, route } = await whoIs(order)
      const holder = { user: person, template: route.template }
      const seat = await findSeat(order, holder, route)
      const open = seat.activity.open()
      const kept = { holder, route, seatKey: seatKey(holder), requestId }
      const gone = AbortSignal.any([leaves, left.signal])
      return {
        person,
        seat,
        holder,
        server: route.sshServer,
        mayPass: keepSeat(kept, seat.lease, gone),
        [Symbol.dispose]() {
          open[Symbol.dispose]()
          left.abort()
          taken[Symbol.dispose]()
        },
      }
    } catch (error) {
      taken[Symbol.dispose]()
      throw error
    }
  }
}
