// An inventory: one read of everything that the engine has.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { DirectorId, NetworkIndex } from './network.ts'
import type { Container, WorkspaceKind } from './workspace.ts'

/** Ages are in milliseconds before the inventory began. */
export interface Inventory {
  readonly startedAt: number
  readonly containers: readonly FoundContainer[]
  readonly networks: readonly FoundNetwork[]
  readonly foreignIndexes: readonly NetworkIndex[]
  readonly foreignNames: readonly string[]
  readonly subjects: ReadonlyMap<UserName, string>
  /** Short ids of running directors of this instance. */
  readonly directors: readonly DirectorId[]
  /** The ids of the images, by the names that templates use. */
  readonly images: ReadonlyMap<string, string>
  /** Absent: the volumes were not listed. */
  readonly homes?: readonly FoundHome[]
  /** When the inventory began, in milliseconds since 1970. */
  readonly wallAt?: number
}

export interface FoundContainer {
  /** The name in the labels: a claimed standby has another name by now. */
  readonly workspace: WorkspaceName
  readonly template: string
  readonly kind: WorkspaceKind
  readonly owner: Person | undefined
  readonly network?: NetworkIndex
  readonly container: Container
  /** How long ago a stopped container ended. */
  readonly finishedAgoMs?: number
}

/** A volume of one person. */
export interface FoundHome {
  readonly volume: string
  readonly user: UserName
  /** By any container, of whatever instance, running or not. */
  readonly mounted: boolean
}

export interface FoundNetwork {
  readonly index: NetworkIndex
  readonly egress: 'internet' | 'none'
  readonly attached: readonly DirectorId[]
}
