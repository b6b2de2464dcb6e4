// The only writer: takes events one by one, lets the policy decide, hands out its steps, and wakes it in time.
import type { Clock } from '@berth/shared/clock'
import type { Log } from '@berth/shared/log'
import type { Decision, Event, State, Step } from '../policy/domain.ts'
import type { SetTimer } from './timer.ts'

export interface Writer extends Disposable {
  state(): State
  /** Decided at once, or right after the decision that is being made. */
  tell(event: Event): void
}

export interface WriterDeps {
  readonly initial: State
  readonly decide: (state: State, event: Event, now: number) => Decision
  readonly clock: Clock
  readonly log: Log
  readonly setTimer: SetTimer
  readonly carryOut: (step: Step, state: State) => void
  /** Told once the events at hand are decided. */
  readonly changed: (before: State, after: State) => void
}

/** A timer far in the future is set again when it is due. */
const longestTimerMs = 3_600_000

export function createWriter(deps: WriterDeps): Writer {
  const { decide, clock, log, setTimer } = deps
  const events: Event[] = []
  let state = deps.initial
  let isDeciding = false
  let isDisposed = false
  let timer: Disposable | undefined

  function next(event: Event): void {
    const decision = decided(event)
    if (decision === undefined) return
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
    tell,
    [Symbol.dispose]() {
      isDisposed = true
      timer?.[Symbol.dispose]()
    },
  }
}
