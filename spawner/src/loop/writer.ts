// The only writer: takes events one by one, lets the policy decide, has what it changes of the records saved, then
// adopts the state, hands out the steps, and wakes it in time.
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import type { Decision, Event, State, Step } from '../policy/domain.ts'
import { createKeeping } from './store-health.ts'
import type { Store } from './store.ts'
import type { SetTimer } from '@berth/shared/timer'

export interface Writer extends Disposable {
  state(): State
  /** The last decision that had something to save was saved. */
  keeps(): boolean
  /** Decided at once, or right after the decision that is being made. */
  tell(event: Event): void
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
  /** Told once the events at hand are decided. */
  readonly changed: (before: State, after: State) => void
}

/** A timer far in the future is set again when it is due. */
const longestTimerMs = 3_600_000
/** Beyond that the next look tells. */
const mostUnsaved = 10_000
/** How steps ended and what the engine told of its own accord. */
const saidOnce: ReadonlySet<Event['type']> = new Set<Event['type']>([
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
  const events: Event[] = []
  let state = deps.initial
  let isDeciding = false
  let isDisposed = false
  let timer: Disposable | undefined
  /** What was said once and could not be decided yet, in its order. */
  const unsaved: Event[] = []
  const keeping = createKeeping({
    store: deps.store ?? { save: () => undefined },
    log,
    setTimer,
    probe: () => ({ saved: [], removed: [], nextTicket: state.nextTicket }),
    recovered() {
      for (const event of [...unsaved.splice(0), { type: 'tick' } as const]) tell(event)
    },
  })

  function next(event: Event): void {
    const decision = decided(event)
    if (decision === undefined) return
    if (decision.changes !== undefined && !keeping.save(decision.changes)) {
      // Ticks, looks and questions come again by themselves.
      if (saidOnce.has(event.type) && unsaved.length < mostUnsaved) unsaved.push(event)
      return
    }
    state = decision.state
    wakeAt(decision.wakeAt)
    for (const step of decision.steps) carryOut(step)
  }

  function decided(event: Event): Decision | undefined {
    try {
      return decide(state, event, clock.now())
    } catch (error) {
      // The state is what it was; the next look at the engine mends what this event would have told.
      log.error({ error, event: event.type }, 'event could not be decided')
      return undefined
    }
  }

  /** The state counts on each step: one that could not even begin keeps none of the others from it. */
  function carryOut(step: Step): void {
    try {
      deps.carryOut(step, state)
    } catch (error) {
      log.error({ error, step: step.type }, 'step could not be begun')
    }
  }

  function wakeAt(at: number | undefined): void {
    timer?.[Symbol.dispose]()
    timer = undefined
    if (at === undefined) return
    const delay = Math.min(longestTimerMs, Math.max(1, Math.ceil(at - clock.now())))
    timer = setTimer(delay, () => tell({ type: 'tick' }))
  }

  function tell(event: Event): void {
    if (isDisposed) return
    events.push(event)
    if (isDeciding) return
    isDeciding = true
    try {
      for (let event = events.shift(); event !== undefined; event = events.shift()) {
        const before = state
        next(event)
        if (before !== state) deps.changed(before, state)
      }
    } finally {
      isDeciding = false
    }
  }

  return {
    state: () => state,
    keeps: () => keeping.works(),
    tell,
    [Symbol.dispose]() {
      isDisposed = true
      keeping[Symbol.dispose]()
      timer?.[Symbol.dispose]()
    },
  }
}
