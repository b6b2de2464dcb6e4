// What the loop tells the metrics, in its own words.
import type { Phase } from '@berth/shared/contract'
import type { ProblemCode } from '@berth/shared/problems'
import type { Limits, StartKind } from '../policy/domain.ts'

export interface LoopObserver {
  /** Also when the engine did not answer. */
  readonly inventoryTaken: (seconds: number) => void
  /** A workspace became ready by a start. */
  readonly ready: (start: {
    readonly template: string
    readonly kind: StartKind
    readonly seconds: number
    readonly queuedSeconds: number
  }) => void
  readonly startFailed: (template: string) => void
  readonly refused: (code: ProblemCode) => void
  readonly reclaimed: (kind: 'container' | 'network') => void
}

/** What is counted when somebody asks for the metrics. */
export interface LoopCounts {
  readonly workspaces: Iterable<{ readonly template: string; readonly phase: Phase }>
  readonly queueLength: number
  /** Until the last who waits is ready; `undefined`: there is nothing to tell it from. */
  readonly queueEstimateMs: () => number | undefined
  readonly limits: Limits
}
