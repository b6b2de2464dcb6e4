// What a decision consists of, and what the policy replies to the events that ask for something.
import type { SeatAnswer } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { Event } from './event.ts'
import type { RecordChanges } from './records.ts'
import type { State } from './state.ts'
import type { Step } from './step.ts'
import type { Failure } from './workspace.ts'

/** Why a person does not get what they ask for. */
export interface Refusal {
  readonly failure: Failure
  /** The limit that is reached, where it is one. */
  readonly limit?: number
}

/** A refusal of a seat: the contract tells it as a problem. */
export interface SeatRefusal extends Refusal {
  readonly status: 'refused'
  readonly workspace?: WorkspaceName
  readonly position?: number
}

type Answer<Status extends SeatAnswer['status']> = Extract<SeatAnswer, { status: Status }> & {
  readonly workspace: WorkspaceName
}

/** The reply to a `SeatRequest`: the contract's answer or a refusal. */
export type SeatReply =
  /** `endsAt`: a moment on our clock. The loop, which knows the wall clock, turns it into the contract's. */
  | (Omit<Answer<'granted'>, 'endsAt'> & { readonly endsAt?: number })
  | Answer<'waiting'>
  | SeatRefusal

export interface RenewedLease {
  readonly workspace: WorkspaceName
  readonly user: UserName
  readonly leaseMs: number
  /** After this time without use the seat ends, or its workspace. */
  readonly unusedEndsInMs?: number
  /** The person has no seat there any more. */
  readonly seatEnded?: boolean
}

/** The reply to each event that asks for something. The other events have none. */
export interface Replies {
  readonly 'seat-requested': SeatReply
  /** A lease that is left out has ended; one with zero is not renewed, and is good until it expires. */
  readonly 'activity-reported': readonly RenewedLease[]
  /** Absent: there is no place for another workspace, or no such template. */
  readonly 'open-requested': WorkspaceName | undefined
}

export type ReplyTo<E extends Event> = E extends { type: infer T extends keyof Replies }
  ? Replies[T]
  : undefined

export interface Decision<Reply = Replies[keyof Replies]> {
  readonly state: State
  readonly steps: readonly Step[]
  /** When something falls due by itself; `undefined`: nothing does. */
  readonly nextDeadlineAt?: number
  /** Absent: nothing that is recorded is other than before. */
  readonly changes?: RecordChanges
  /** For the submitter of the event, once the changes are saved. */
  readonly reply?: Reply
}
