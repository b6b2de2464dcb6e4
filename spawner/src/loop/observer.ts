// What the loop tells the metrics and the history.
import type { ActivityFinding, Phase } from '@berth/shared/contract'
import type { UserName } from '@berth/shared/names'
import type { ProblemCode } from '@berth/shared/problems'
import type {
  Announcement,
  Limits,
  Refusal,
  StartKind,
  Tally,
  Workspace,
} from '../policy/domain.ts'

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

/** A decision brought a workspace into another phase. */
export interface Moved {
  readonly announcement: Announcement
  readonly before: Workspace | undefined
  readonly after: Workspace | undefined
  /** When it was decided. */
  readonly now: number
}

export interface HistoryObserver {
  readonly moved: (change: Moved) => void
  readonly refused: (
    asked: { readonly person: UserName; readonly template: string; readonly workspace?: string },
    refusal: Refusal,
  ) => void
  /** A request of a person arrived that a person caused. */
  readonly seen: (person: UserName) => void
  /** The person was at work a moment ago, as a director reports. */
  readonly active: (person: UserName) => void
  /** After each decision that changed it. */
  readonly counted: (tally: Tally, queued: number, limits: Limits) => void
}
