// All that a decision is made from.
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { PolicyConfig } from './config.ts'
import type { Director, DirectorId, Network, NetworkIndex } from './network.ts'
import type { Generation, Workspace } from './workspace.ts'
import type { HomeRecord, WorkspaceRecord } from './records.ts'

export interface Home extends HomeRecord {
  /** Since then it is known to be unused for longer than volumes are kept. */
  readonly dueSince?: number | undefined
  readonly announcedAt?: number | undefined
  readonly orderedAt?: number | undefined
}

export interface StandbyFailures {
  /** One after the other. */
  readonly count: number
  /** Until then there is no other try. */
  readonly until: number
}

/** Durations of the last starts (from the place taken to ready) and stays (from ready to its end) of a template, newest
 * last. */
export interface Measured {
  readonly coldMs: readonly number[]
  readonly standbyMs: readonly number[]
  readonly frozenMs: readonly number[]
  readonly stoppedMs: readonly number[]
  readonly staysMs: readonly number[]
}

/** What there is, counted. */
export interface Tally {
  /** Workspaces that hold one. */
  readonly places: number
  readonly starting: number
  /** The sum of what the containers of all that hold a place were made with, or will be made with. */
  readonly memoryBytes: number
  /** Frozen ones and standbys: they may have to give way. */
  readonly yielding: number
  /** Those that are stopping: their places will be free. */
  readonly leaving: number
  readonly byTemplate: ReadonlyMap<string, TemplateTally>
  /** Workspaces that a person owns or has a seat in. */
  readonly byPerson: ReadonlyMap<UserName, readonly WorkspaceName[]>
}

export interface TemplateTally {
  readonly places: number
  /** All of its workspaces, also those without a place. */
  readonly names: ReadonlyMap<WorkspaceName, true>
}

export interface State {
  readonly config: PolicyConfig
  /** When the latest inventory began: nothing is decided before the first, and an earlier one is ignored. */
  readonly reconciledAt: number | undefined
  readonly engine: { readonly reachable: boolean; readonly detail?: string }
  readonly workspaces: ReadonlyMap<WorkspaceName, Workspace>
  readonly networks: ReadonlyMap<NetworkIndex, Network>
  /** Numbers that a foreign network on the engine overlaps. */
  readonly foreignIndexes: ReadonlySet<NetworkIndex>
  /** Numbers that rest after their network was removed, until then. */
  readonly restingIndexes: ReadonlyMap<NetworkIndex, number>
  /** When workspaces, containers and networks were removed, until an inventory has begun after that. */
  readonly departed: ReadonlyMap<WorkspaceName | Generation | NetworkIndex, number>
  readonly directors: ReadonlyMap<DirectorId, Director>
  /** Subject of each home there is, by its owner's exact name. */
  readonly subjects: ReadonlyMap<UserName, string>
  /** Names on the engine that belong to other programs: never touched. */
  readonly foreignNames: ReadonlySet<string>
  readonly nextTicket: number
  /** Those who wait for a place, first come first. The same array as long as nothing in it changes. */
  readonly queue: readonly WorkspaceName[]
  /** By template. */
  readonly measured: ReadonlyMap<string, Measured>
  readonly homes: ReadonlyMap<string, Home>
  /** Names of all that stand by, or are to. */
  readonly standbys: ReadonlySet<WorkspaceName>
  /** Templates whose standbys failed of late. */
  readonly standbyFailures: ReadonlyMap<string, StandbyFailures>
  readonly tally: Tally
  /** When a person gave up their seat in a shared template, by `cancelKey`: a request held since before then does not
   * take another. */
  readonly cancels: ReadonlyMap<string, number>
  /** What was recorded before the start, until the first inventory shows what is still there of it. */
  readonly recorded: readonly WorkspaceRecord[]
  /** When a workspace was last seen on its way up. */
  readonly lastStartAt: number
  /** Ids of the images that templates' names lead to now, as far as known. */
  readonly images: ReadonlyMap<string, string>
  /** Nothing falls due by itself before then; infinite: nothing does at all. */
  readonly dueAt: number
}
