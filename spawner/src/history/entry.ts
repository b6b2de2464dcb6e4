// An entry of the history: one thing that happened to a workspace or a person, as administrators look it up later.
import type { StartKind, StopReason } from '../policy/domain.ts'

export const entryTypes = [
  'start',
  'freeze',
  'stop',
  'removal',
  'refusal',
  'sign-in',
  'act',
] as const
export type EntryType = (typeof entryTypes)[number]

export const startKinds = [
  'cold',
  'stopped',
  'frozen',
  'standby',
] as const satisfies readonly StartKind[]

/** How a start ended (`cancelled`: it was given up before the workspace was ready), or an act of an administrator. */
export const outcomes = ['ready', 'failed', 'cancelled', 'done', 'refused'] as const
export type Outcome = (typeof outcomes)[number]

/** Why a workspace stopped or its container was removed, where the policy did not order it, or orders it without a reason. */
export type FurtherReason =
  /** The container ended by itself. */
  | 'ended'
  /** The same, and the kernel had killed a process in it for memory. */
  | 'out_of_memory'
  /** The container was removed by something other than Berth. */
  | 'vanished'
  /** A stopped container was removed: it was unused for long, is not offered any more, or its network was needed. */
  | 'cleared'
  /** The person did not wait for their place. */
  | 'left_queue'

export type EndReason = StopReason | FurtherReason

/** Absent fields do not apply. */
export interface Entry {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly type: EntryType
  /** The user name of the person whom it concerns; of an act, the administrator's. */
  readonly person?: string | undefined
  readonly template?: string | undefined
  readonly workspace?: string | undefined
  /** What the start began from. */
  readonly start?: StartKind | undefined
  readonly outcome?: Outcome | undefined
  /** An `EndReason`, or the code of a problem; of an act, what was done. */
  readonly reason?: string | undefined
  /** One sentence in plain words; of an act, why the administrator did it. */
  readonly detail?: string | undefined
  /** In the queue. */
  readonly waitedMs?: number | undefined
  /** From the request to the end of the start. */
  readonly tookMs?: number | undefined
  /** From ready to the stop. */
  readonly ranMs?: number | undefined
  /** Milliseconds that the start spent in each phase. */
  readonly steps?: Readonly<Record<string, number>> | undefined
  readonly exitCode?: number | undefined
  /** The limit that was reached. */
  readonly limit?: number | undefined
  /** Of an act: the workspace or template; of a refused attempt, what was asked for. */
  readonly target?: string | undefined
}

/** What was in use at the most since the sample before. */
export interface Sample {
  readonly at: number
  readonly places: number
  readonly queued: number
  /** Of places; zero is none. */
  readonly limit: number
}
