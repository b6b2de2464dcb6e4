// Requests for seats that are held: submitted again when their workspace changes, answered in time whatever happens.
import { wallText, type Clock } from '@berth/shared/clock'
import type { Person, SeatAnswer, SeatRequest } from '@berth/shared/contract'
import type { SeatRefusal, SeatReply, State, Workspace } from '../policy/domain.ts'
import { isEngineAlike } from '../policy/asked/view.ts'
import { hasSeat } from './has-seat.ts'
import type { SetTimer } from '@berth/shared/timer'
import type { Submit } from './writer.ts'

export interface SeatWaiters extends Disposable {
  /** Answers as soon as the seat is granted or refused, after `waitMs`, or when `signal` aborts. */
  request(
    request: SeatRequest,
    signal: AbortSignal,
    requestId?: string,
  ): Promise<SeatAnswer | SeatRefusal>
  /** Submits the requests again that the change may concern. */
  changed(before: State, after: State): void
}

interface Waiter {
  readonly request: SeatRequest
  readonly requestId: string | undefined
  readonly askedAt: number
  /** The latest. */
  reply?: SeatReply
  /** Ends the wait; set while the request is held. */
  release?: () => void
}

/** By all directors together. A request beyond that is answered at once, with how its workspace stands. */
const mostHeld = 20_000

export function createSeatWaiters(deps: {
  clock: Clock
  setTimer: SetTimer
  submit: Submit
  /** How often a request that is held shows that its person is there. */
  presentEveryMs: number
  refused: (request: SeatRequest, refusal: SeatRefusal) => void
}): SeatWaiters {
  const { clock, setTimer } = deps
  const held = new Set<Waiter>()
  let isOver = false

  /** The writer replies before this returns, unless it is deciding something else just now. */
  function submit(waiter: Waiter, since: { readonly since?: number } = {}): void {
    const { request, requestId } = waiter
    deps.submit({ type: 'seat-requested', request, requestId, ...since }, (reply) => {
      waiter.reply = reply
      if (reply.status !== 'waiting') waiter.release?.()
    })
  }

  function submitAgain(waiter: Waiter): void {
    submit(waiter, { since: waiter.askedAt })
  }

  function answer({ reply, askedAt, request }: Waiter): SeatAnswer | SeatRefusal {
    if (reply === undefined) return isOver ? shuttingDown : unanswered
    if (reply.status === 'refused') deps.refused(request, reply)
    if (reply.status !== 'granted') return reply
    const { endsAt, ...granted } = reply
    // The director counts the lease from before its request, so the time that the request was held is added.
    const leaseMs = granted.leaseMs + (clock.now() - askedAt)
    if (endsAt === undefined) return { ...granted, leaseMs }
    return { ...granted, leaseMs, endsAt: wallText(clock.wallOf(endsAt)) }
  }

  return {
    async request(request, signal, requestId) {
      const waiter: Waiter = { request, requestId, askedAt: clock.now() }
      submit(waiter)
      return hold(waiter, signal)
    },

    changed(before, after) {
      for (const waiter of held) if (mayConcern(waiter, before, after)) submitAgain(waiter)
    },

    [Symbol.dispose]() {
      isOver = true
      for (const waiter of [...held]) {
        waiter.reply = shuttingDown
        waiter.release?.()
      }
    },
  }

  async function hold(waiter: Waiter, signal: AbortSignal): Promise<SeatAnswer | SeatRefusal> {
    const { reply, request } = waiter
    const isSettled = isOver || (reply !== undefined && reply.status !== 'waiting')
    if (isSettled || request.waitMs <= 0 || signal.aborted || held.size >= mostHeld)
      return answer(waiter)
    const { promise, resolve } = Promise.withResolvers<void>()
    const release = (): void => resolve()
    waiter.release = release
    held.add(waiter)
    signal.addEventListener('abort', release, { once: true })
    const deadline = setTimer(request.waitMs, () => {
      // The last answer tells how the workspace stands now, not how it stood when something last changed.
      submitAgain(waiter)
      release()
    })
    let present: Disposable = setTimer(deps.presentEveryMs, function ring() {
      submitAgain(waiter)
      present = setTimer(deps.presentEveryMs, ring)
    })
    try {
      await promise
      return answer(waiter)
    } finally {
      held.delete(waiter)
      signal.removeEventListener('abort', release)
      deadline[Symbol.dispose]()
      present[Symbol.dispose]()
    }
  }
}

/** A change of position or estimate alone is no reason: both are told when the wait ends. */
function mayConcern({ reply, request }: Waiter, before: State, after: State): boolean {
  if (!isEngineAlike(before, after)) return true
  if (before.config !== after.config) return true
  if (reply?.workspace === undefined) return false
  const was = before.workspaces.get(reply.workspace)
  const is = after.workspaces.get(reply.workspace)
  if (was === is) return networkOf(before, was) !== networkOf(after, is)
  return (
    was?.phase !== is?.phase ||
    was?.container !== is?.container ||
    was?.network !== is?.network ||
    was?.wanted !== is?.wanted ||
    // A freeze that failed leaves the workspace as ready as it was.
    isChangingState(was) !== isChangingState(is) ||
    // A background request waits for the answer of an application that is asked whether it is busy.
    was?.veto?.question !== is?.veto?.question ||
    hasLostSeat(request.user, was, is) ||
    networkOf(before, was) !== networkOf(after, is)
  )
}

/** The person may have been given a seat in another shared workspace. */
function hasLostSeat(user: Person, was: Workspace | undefined, is: Workspace | undefined): boolean {
  return hasSeat(was, user) && !hasSeat(is, user)
}

/** No seat is granted while this is under way. */
function isChangingState(workspace: Workspace | undefined): boolean {
  const step = workspace?.pending?.step
  return step === 'freeze' || step === 'thaw' || step === 'rename'
}

function networkOf(state: State, workspace: { readonly network?: number | undefined } | undefined) {
  return workspace?.network === undefined ? undefined : state.networks.get(workspace.network)
}

const unanswered: SeatRefusal = {
  status: 'refused',
  failure: {
    code: 'spawner_unreachable',
    detail: 'No workspace can be requested at the moment. Please try again.',
  },
}

const shuttingDown: SeatRefusal = {
  status: 'refused',
  failure: { code: 'shutting_down', detail: 'The service is being restarted. Please try again.' },
}
