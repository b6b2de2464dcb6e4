// What the store keeps, and what a decision changes of it.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { Generation, WorkspaceKind } from './workspace.ts'

/** What the store keeps of a person's volume. */
export interface HomeRecord {
  readonly volume: string
  readonly user: UserName
  /** Its last use, or when it was first seen, in milliseconds since 1970; to the hour. */
  readonly lastUseAt: number
}

/** What the store keeps of a workspace: what was given later, which labels cannot tell. */
export interface WorkspaceRecord {
  readonly name: WorkspaceName
  readonly template: string
  readonly kind: WorkspaceKind
  readonly owner: Person | undefined
  /** Absent for one that has no container yet. */
  readonly generation: Generation | undefined
  /** Its place in the order of asking, while it waits to be started or is being started. */
  readonly queueTicket: number | undefined
  readonly seats: readonly RecordedSeat[]
  readonly served: number
  readonly extendedMs: number
  readonly stoodByMs: number
  /** Only a copy of its files keeps it frozen. */
  readonly held: boolean
}

export interface RecordedSeat {
  readonly person: Person
  readonly ticket: number
}

/** What a decision changes of the records: saved before any step of it is carried out. */
export interface RecordChanges {
  /** `former`: what the store has of it. */
  readonly saved: readonly { readonly record: WorkspaceRecord; readonly former?: WorkspaceRecord }[]
  readonly removed: readonly WorkspaceName[]
  readonly nextTicket?: number
  readonly homes?: readonly HomeRecord[]
  readonly homesGone?: readonly string[]
}

/** All that the store has, as it is read once at start. */
export interface Recorded {
  readonly workspaces: readonly WorkspaceRecord[]
  readonly nextTicket: number
  readonly homes?: readonly HomeRecord[]
}
