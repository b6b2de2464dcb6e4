// Requests for seats that are held: asked again when their workspace changes, answered in time whatever happens.
import type { Clock } from '@berth/shared/clock'
import type { SeatRequest } from '@berth/shared/contract'
import type { ProblemCode } from '@berth/shared/problems'
import type { WorkspaceName } from '@berth/shared/names'
import type { Event, SeatQuestion, SeatReply, State, Workspace } from '../policy/domain.ts'
import { isEngineAlike } from '../policy/asked/view.ts'
import { hasSeat } from './has-seat.ts'
import type { SetTimer } from '@berth/shared/timer'

export interface SeatWaiters extends Disposable {
  ask(request: SeatRequest, signal: AbortSignal): Promise<SeatReply>
  /** The policy's answer to the question of that number. */
  answered(id: number, reply: SeatReply): void
  /** Asks again for those whom the change may concern. */
  changed(before: State, after: State): void
}

interface Waiter {
  readonly id: number
  readonly question: SeatQuestion
  readonly askedAt: number
  reply?: SeatReply
}

/** Held at once by all directors together; who comes beyond is told how it stands, at once. */
const mostHeld = 20_000

export function createSeatWaiters(deps: {
  clock: Clock
  setTimer: SetTimer
  tell: (event: Event) => void
  /** How often somebody who waits shows that they are there. */
  signEveryMs: number
  refused: (code: ProblemCode) => void
}): SeatWaiters {
  const { clock, setTimer, tell } = deps
  const asking = new Map<number, Waiter>()
  const held = new Map<number, { waiter: Waiter; settle: () => void }>()
  let lastId = 0
  let isOver = false

  /** The writer answers before this returns, unless it is deciding something else just now. */
  function put(waiter: Waiter): void {
    asking.set(waiter.id, waiter)
    tell({ type: 'seat-requested', id: waiter.id, question: waiter.question })
  }

  function again(waiter: Waiter): void {
    put({ ...waiter, question: { ...waiter.question, since: waiter.askedAt } })
  }

  /** Time that the answer was held counts on the director's side. */
  function final({ reply, askedAt }: Waiter): SeatReply {
    if (reply === undefined) return isOver ? shuttingDown : unanswered
    if (reply.status === 'refused') deps.refused(reply.failure.code)
    if (reply.status !== 'granted') return reply
    return { ...reply, leaseMs: reply.leaseMs + (clock.now() - askedAt) }
  }

  return {
    async ask(request, signal) {
      lastId += 1
      const waiter: Waiter = { id: lastId, question: questionOf(request), askedAt: clock.now() }
      put(waiter)
      return hold(waiter, request.waitMs, signal)
    },

    answered(id, reply) {
      const waiter = held.get(id)?.waiter ?? asking.get(id)
      asking.delete(id)
      if (waiter === undefined) return
      waiter.reply = reply
      if (reply.status !== 'waiting') held.get(id)?.settle()
    },

    changed(before, after) {
      for (const { waiter } of held.values()) if (mayConcern(waiter, before, after)) again(waiter)
    },

    [Symbol.dispose]() {
      isOver = true
      for (const { waiter, settle } of [...held.values()]) {
        waiter.reply = shuttingDown
        settle()
      }
    },
  }

  async function hold(waiter: Waiter, waitMs: number, signal: AbortSignal): Promise<SeatReply> {
    const { reply } = waiter
    const settled = isOver || (reply !== undefined && reply.status !== 'waiting')
    if (settled || waitMs <= 0 || signal.aborted || held.size >= mostHeld) return final(waiter)
    const { promise, resolve } = Promise.withResolvers<void>()
    held.set(waiter.id, { waiter, settle: resolve })
    const give = (): void => resolve()
    signal.addEventListener('abort', give, { once: true })
    const deadline = setTimer(waitMs, () => {
      // The last word says how it stands now, not how it stood when something last changed.
      again(waiter)
      resolve()
    })
    let sign: Disposable = setTimer(deps.signEveryMs, function ring() {
      again(waiter)
      sign = setTimer(deps.signEveryMs, ring)
    })
    try {
      await promise
      return final(waiter)
    } finally {
      held.delete(waiter.id)
      signal.removeEventListener('abort', give)
      deadline[Symbol.dispose]()
      sign[Symbol.dispose]()
    }
  }
}

function questionOf(request: SeatRequest): SeatQuestion {
  const { director, user, template, workspace, start, navigation, unreachable } = request
  const { name, subject, groups, email } = user
  return {
    director,
    user: { name, subject, groups, ...(email === undefined ? {} : { email }) },
    template,
    // A name that nobody has leads nowhere: it is looked up, never parsed.
    ...(workspace === undefined ? {} : { workspace: workspace as WorkspaceName }),
    start,
    navigation,
    ...(unreachable === undefined ? {} : { unreachable }),
  }
}

/** Position and estimate alone are no reason: they are told when the wait ends. */
function mayConcern({ reply, question }: Waiter, before: State, after: State): boolean {
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
    // A freeze that failed leaves it as ready as it was.
    isChangingState(was) !== isChangingState(is) ||
    // The seat may be in another shared one by now.
    (hasSeat(was, question.user) && !hasSeat(is, question.user)) ||
    networkOf(before, was) !== networkOf(after, is)
  )
}

/** Nobody is granted it while this is under way. */
function isChangingState(workspace: Workspace | undefined): boolean {
  const step = workspace?.pending?.step
  return step === 'freeze' || step === 'thaw' || step === 'rename'
}

function networkOf(state: State, workspace: { readonly network?: number | undefined } | undefined) {
  return workspace?.network === undefined ? undefined : state.networks.get(workspace.network)
}

const unanswered: SeatReply = {
  status: 'refused',
  failure: {
    code: 'spawner_unreachable',
    detail: 'Workspaces cannot be asked for at this moment. Please try again.',
  },
}

const shuttingDown: SeatReply = {
  status: 'refused',
  failure: { code: 'shutting_down', detail: 'The service is being restarted. Please try again.' },
}
