// What the loop tells the metrics.
import type { ActivityFinding, Phase } from '@berth/shared/contract'
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
  /** A check at the activity path of a template told nothing. */
  readonly activityUnknown: (template: string, finding: ActivityFinding) => void
  readonly refused: (code: ProblemCode) => void
  readonly reclaimed: (kind: 'container' | 'network') => void
}

/** What is counted when the metrics are read. */
export interface LoopCounts {
  readonly workspaces: Iterable<{ readonly template: string; readonly phase: Phase }>
  readonly queueLength: number
  /** Until the last workspace of the queue is ready; `undefined` without a measurement. */
  readonly queueEstimateMs: () => number | undefined
  readonly limits: Limits
}
