// Where a request without a lease gets one, or learns why not. People who ask the same thing share one question.
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import { createProblem, type Problem } from '@berth/shared/problems'
import { poolContains, type SubnetPool } from '@berth/shared/subnet-pool'
import type { LeaseTable, Seat } from '../leases/lease-table.ts'
import { seatKey, type Lease, type SeatHolder } from '../leases/lease.ts'
import { pause, type After } from '../leases/timer.ts'
import { samePlace, type NamedRoute, type NameLookup } from './name-lookup.ts'
import { createSharedCalls, type SharedCall } from './shared-calls.ts'
import { answerGraceMs, type SeatOutcome, type SeatQuestion } from './client.ts'

export interface SeatWish {
  readonly holder: SeatHolder
  readonly route: NamedRoute
  readonly start: SeatQuestion['start']
  readonly navigation: boolean
  /** On the director's clock. The spawner is asked at least once, however late it is. */
  readonly until: number
  /** The lease that could not be connected to. */
  readonly failed?: Lease | undefined
  readonly signal: AbortSignal
}

export type SeatFound =
  | { readonly kind: 'seat'; readonly seat: Seat }
  | { readonly kind: 'waiting' }
  | { readonly kind: 'refused'; readonly problem: Problem }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'aborted' }

export interface SeatDesk {
  /** Never rejects. */
  ask(wish: SeatWish): Promise<SeatFound>
  /** The spawner is there again: it is asked before names are tried. */
  spawnerSeen(): void
}

export interface SeatDeskDeps {
  readonly table: LeaseTable
  readonly askSeat: (question: SeatQuestion, signal: AbortSignal) => Promise<SeatOutcome>
  readonly lookUp: NameLookup
  readonly pool: SubnetPool
  /** Where problems are explained. */
  readonly problemBase: string | undefined
  readonly clock: Clock
  readonly after: After
  readonly log: Log
}

/** An answer is held no longer, so that a lost one is noticed. */
const longestHoldMs = 25_000
/** The first question is held for less, so that a spawner that hangs holds nobody up for long. */
const firstHoldMs = 1_000
/** What was already waiting lives through a restart of the spawner. */
const outageMs = 15_000
/** Between questions that were answered at once, though the answer was "wait". */
const pauseMs = 250
/** Less than this before its deadline, a wish is over. */
const tooShortMs = 20

export function createSeatDesk(deps: SeatDeskDeps): SeatDesk {
  const { table, askSeat, lookUp, pool, clock, after, log } = deps
  const questions = createSharedCalls<SeatFound>()
  const lookups = createSharedCalls<Lease | undefined>()
  /** The last question went unanswered: names are tried before the next. */
  let suspect = false

  async function question(wish: SeatWish, first: boolean, signal: AbortSignal): Promise<SeatFound> {
    const askedAt = clock.now()
    // Told once: what has been looked into since must not be looked into again.
    const unreachable = first && wish.failed?.byName === false ? wish.failed.generation : undefined
    const { workspace } = wish.holder
    const holdMs = first ? firstHoldMs : longestHoldMs
    const answer = await askSeat(
      {
        user: wish.holder.person,
        template: wish.holder.template,
        ...(workspace === undefined ? {} : { workspace }),
        waitMs: Math.round(Math.min(holdMs, Math.max(0, wish.until - askedAt))),
        start: wish.start,
        navigation: wish.navigation,
        ...(unreachable === undefined ? {} : { unreachable }),
      },
      signal,
    )
    if (signal.aborted) return { kind: 'aborted' }
    if (answer.status === 'unreachable') {
      if (!suspect) log.warn({ error: answer.cause }, 'spawner could not be asked for a seat')
      suspect = true
      return { kind: 'unreachable' }
    }
    suspect = false
    switch (answer.status) {
      case 'refused':
        return { kind: 'refused', problem: answer.problem }
      case 'waiting':
        return { kind: 'waiting' }
      case 'granted':
        return granted(wish, answer, askedAt)
    }
  }

  function granted(
    wish: SeatWish,
    {
      workspace,
      generation,
      address,
      leaseMs,
      endsAt,
    }: Extract<SeatOutcome, { status: 'granted' }>,
    askedAt: number,
  ): SeatFound {
    if (!poolContains(pool, address.host)) {
      log.error(
        { workspace, address },
        'spawner gave an address outside NETWORK_POOL; is it the same for both?',
      )
      const detail =
        'The workspace has an address that no workspace may have. An administrator has to look into it.'
      const problem = createProblem(deps.problemBase, 'workspace_unreachable', detail)
      return { kind: 'refused', problem }
    }
    const expiresAt = askedAt + leaseMs
    if (expiresAt <= clock.now()) return { kind: 'waiting' }
    const lease = { workspace, generation, address, askedAt, expiresAt, byName: false, endsAt }
    return { kind: 'seat', seat: table.grant(wish.holder, lease) }
  }

  function join(wish: SeatWish, key: string, first: boolean): SharedCall<SeatFound> {
    const { start, navigation, failed } = wish
    const shared = [key, start, navigation, first, failed?.generation ?? ''].join('\n')
    return questions.join(shared, (signal) => question(wish, first, signal))
  }

  /** One question, shared with whoever asks the same. A hang-up ends only one's own share. */
  async function askOnce(wish: SeatWish, key: string, first: boolean): Promise<SeatFound> {
    const call = join(wish, key, first)
    const ended = Promise.withResolvers<SeatFound>()
    // Somebody else's question may be held longer than this one can wait.
    const leftMs = Math.max(0, wish.until - clock.now()) + answerGraceMs + pauseMs
    const deadline = after(leftMs, () => ended.resolve({ kind: 'waiting' }))
    const hangUp = (): void => ended.resolve({ kind: 'aborted' })
    wish.signal.addEventListener('abort', hangUp, { once: true })
    try {
      return await Promise.race([call.result, ended.promise])
    } finally {
      deadline[Symbol.dispose]()
      wish.signal.removeEventListener('abort', hangUp)
      call.leave()
    }
  }

  async function findByName(wish: SeatWish, key: string): Promise<Seat | undefined> {
    const lookup = lookups.join(key, () => lookUp(wish.holder, wish.route, table.last(key)))
    const lease = await lookup.result
    lookup.leave()
    const current = table.current(key)
    if (current !== undefined || lease === undefined) return current
    // Where nobody answered a moment ago, nobody will now.
    if (wish.failed !== undefined && samePlace(wish.failed, lease)) return undefined
    return table.grant(wish.holder, lease)
  }

  /** Whether the spawner is there again, nobody waits to learn: its answer is for whoever comes next. */
  function askAside(wish: SeatWish, key: string): void {
    const call = join(wish, key, true)
    void call.result.finally(() => call.leave())
  }

  const rest = (wish: SeatWish): Promise<void> =>
    pause(after, Math.min(pauseMs, Math.max(0, wish.until - clock.now())), wish.signal)

  async function ask(wish: SeatWish): Promise<SeatFound> {
    const key = seatKey(wish.holder)
    let waited = false
    let outageSince: number | undefined
    for (;;) {
      if (wish.signal.aborted) return { kind: 'aborted' }
      const current = table.current(key)
      if (current !== undefined) return { kind: 'seat', seat: current }
      const suspected = suspect ? await findByName(wish, key) : undefined
      if (suspected !== undefined) {
        askAside(wish, key)
        return { kind: 'seat', seat: suspected }
      }

      const askedAt = clock.now()
      const found = await askOnce(wish, key, !waited)
      const over = wish.until - clock.now() < tooShortMs
      if (found.kind === 'waiting') {
        if (over) return found
        waited = true
        outageSince = undefined
        if (clock.now() - askedAt < pauseMs) await rest(wish)
        continue
      }
      if (found.kind !== 'unreachable') return found
      const seat = await findByName(wish, key)
      if (seat !== undefined) return { kind: 'seat', seat }
      outageSince ??= clock.now()
      if (!waited || over || clock.now() - outageSince > outageMs) return found
      await rest(wish)
    }
  }

  return {
    ask,
    spawnerSeen() {
      suspect = false
    },
  }
}
