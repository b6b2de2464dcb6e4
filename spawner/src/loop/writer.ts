// The only writer: takes events one by one, lets the policy decide, saves what the decision changes of the records, then
// adopts the state, hands out the steps and the reply, and submits a tick when the next deadline has come.
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import type { Decision, Event, ReplyTo, State, Step } from '../policy/domain.ts'
import { createStoreHealth } from './store-health.ts'
import type { Store } from './store.ts'
import type { SetTimer } from '@berth/shared/timer'

/** @param onReply called with the reply of the decision, once what the decision changes is saved; not at all where there
 * is no reply, or where it could not be saved */
export type Submit = <E extends Event>(
  event: E,
  onReply?: (reply: NonNullable<ReplyTo<E>>) => void,
) => void

export interface Writer extends Disposable {
  state(): State
  /** Whether the last decision that had something to save was saved. */
  isSaving(): boolean
  /** The event is decided at once, or right after the decision that is being made. */
  readonly submit: Submit
}

export interface WriterDeps {
  readonly initial: State
  readonly decide: (state: State, event: Event, now: number) => Decision
  readonly clock: Clock
  readonly log: Log
  /** Absent: nothing outlives the process. */
  readonly store?: Pick<Store, 'save'> | undefined
  readonly setTimer: SetTimer
  readonly carryOut: (step: Step, state: State) => void
  /** Called after each decision that changed the state. */
  readonly changed: (before: State, after: State) => void
}

type OnReply = (reply: NonNullable<Decision['reply']>) => void

/** A timer far in the future is set again when it is due. */
const longestTimerMs = 3_600_000
/** Events beyond that are dropped: the next inventory tells what they told. */
const mostUnsaved = 10_000
/** Events that are submitted once: how steps ended, what the engine reported, what people and directors did. */
const submittedOnce: ReadonlySet<Event['type']> = new Set<Event['type']>([
  'image-present',
  'container-created',
  'container-started',
  'container-frozen',
  'container-thawed',
  'container-renamed',
  'container-stopped',
  'container-removed',
  'step-failed',
  'container-died',
  'container-destroyed',
  'network-created',
  'network-failed',
  'network-removed',
  'director-connected',
  'director-gone',
  'director-attached',
  'director-attach-failed',
  'probe-answered',
  'end-requested',
  'cancel-requested',
  'config-changed',
])

export function createWriter(deps: WriterDeps): Writer {
  const { decide, clock, log, setTimer } = deps
  const queue: { readonly event: Event; readonly onReply: OnReply | undefined }[] = []
  let state = deps.initial
  let isDeciding = false
  let isDisposed = false
  let timer: Disposable | undefined
  /** Events that are submitted once and could not be decided yet, in their order. */
  const unsaved: Event[] = []
  const health = createStoreHealth({
    store: deps.store ?? { save: () => undefined },
    log,
    setTimer,
    probe: () => ({ saved: [], removed: [], nextTicket: state.nextTicket }),
    recovered() {
      for (const event of [...unsaved.splice(0), { type: 'tick' } as const]) submit(event)
    },
  })

  function next(event: Event, onReply: OnReply | undefined): void {
    const decision = decided(event)
    if (decision === undefined) return
    if (decision.changes !== undefined && !health.save(decision.changes)) {
      // Ticks, inventories and requests come again by themselves.
      if (submittedOnce.has(event.type) && unsaved.length < mostUnsaved) unsaved.push(event)
      return
    }
    state = decision.state
    setDeadline(decision.nextDeadlineAt)
    for (const step of decision.steps) carryOut(step)
    if (decision.reply !== undefined) reply(event, decision.reply, onReply)
  }

  function decided(event: Event): Decision | undefined {
    try {
      return decide(state, event, clock.now())
    } catch (error) {
      // The state stays as it was; the next inventory makes up for what this event would have told.
      log.error({ error, event: event.type }, 'event could not be decided')
      return undefined
    }
  }

  /** The state counts on each step, so a step that cannot even be started does not keep the others from starting. */
  function carryOut(step: Step): void {
    try {
      deps.carryOut(step, state)
    } catch (error) {
      log.error({ error, step: step.type }, 'step could not be started')
    }
  }

  function reply(
    event: Event,
    given: NonNullable<Decision['reply']>,
    onReply: OnReply | undefined,
  ): void {
    try {
      onReply?.(given)
    } catch (error) {
      log.error({ error, event: event.type }, 'reply could not be delivered')
    }
  }

  function setDeadline(at: number | undefined): void {
    timer?.[Symbol.dispose]()
    timer = undefined
    if (at === undefined) return
    const delay = Math.min(longestTimerMs, Math.max(1, Math.ceil(at - clock.now())))
    timer = setTimer(delay, () => submit({ type: 'tick' }))
  }

  function submit<E extends Event>(
    event: E,
    onReply?: (reply: NonNullable<ReplyTo<E>>) => void,
  ): void {
    if (isDisposed) return
    // `decide` gives each event the reply of its own type.
    queue.push({ event, onReply: onReply as OnReply | undefined })
    if (isDeciding) return
    isDeciding = true
    try {
      for (let first = queue.shift(); first !== undefined; first = queue.shift()) {
        const before = state
        next(first.event, first.onReply)
        if (before !== state) deps.changed(before, state)
      }
    } finally {
      isDeciding = false
    }
  }

  return {
    state: () => state,
    isSaving: () => health.works(),
    submit,
    [Symbol.dispose]() {
      isDisposed = true
      health[Symbol.dispose]()
      timer?.[Symbol.dispose]()
    },
  }
}
