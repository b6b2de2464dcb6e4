// The engine as it was found.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { DirectorId, NetworkIndex } from './network.ts'
import type { Container, WorkspaceKind } from './workspace.ts'

/** What one look at the whole engine saw. Ages are in milliseconds before the look began. */
export interface Inventory {
  readonly startedAt: number
  readonly containers: readonly FoundContainer[]
  readonly networks: readonly FoundNetwork[]
  readonly foreignIndexes: readonly NetworkIndex[]
  readonly foreignNames: readonly string[]
  readonly subjects: ReadonlyMap<UserName, string>
  /** Short ids of running directors of this instance. */
  readonly directors: readonly DirectorId[]
  /** Ids of the images that these names lead to. */
  readonly images: ReadonlyMap<string, string>
  /** Absent: nothing is known of them. */
  readonly homes?: readonly FoundHome[]
  /** When it began, in milliseconds since 1970. */
  readonly wallAt?: number
}

export interface FoundContainer {
  /** As its labels say: a claimed standby bears another name by now. */
  readonly workspace: WorkspaceName
  readonly template: string
  readonly kind: WorkspaceKind
  readonly owner: Person | undefined
  readonly network?: NetworkIndex
  readonly container: Container
  /** For stopped ones: how long ago they ended. */
  readonly finishedAgoMs?: number
}

/** A volume of one person. */
export interface FoundHome {
  readonly volume: string
  readonly user: UserName
  /** By any container, whosever, running or not. */
  readonly mounted: boolean
}

export interface FoundNetwork {
  readonly index: NetworkIndex
  readonly egress: 'internet' | 'none'
  readonly attached: readonly DirectorId[]
}
