// What the policy orders, grouped by what carries it out.
import type { Address, Person, Phase } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { DirectorId, NetworkIndex } from './network.ts'
import type { Failure, Generation, StartKind, WorkspaceKind, StopReason } from './workspace.ts'

export type Step = EngineStep | DirectorStep | HomeStep | Announcement

/** A call to the engine. Each ends in one event. */
export type EngineStep =
  | { readonly type: 'pull-image'; readonly workspace: WorkspaceName; readonly template: string }
  | {
      readonly type: 'create-container'
      readonly workspace: WorkspaceName
      readonly template: string
      readonly kind: WorkspaceKind
      readonly owner: Person | undefined
      readonly network: NetworkIndex
    }
  | {
      readonly type: 'start-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly network: NetworkIndex
    }
  | {
      readonly type: 'freeze-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  | {
      readonly type: 'thaw-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  /** To the workspace's own name. */
  | {
      readonly type: 'rename-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  /** Measures how much processor time the container uses over about a second. */
  | {
      readonly type: 'measure-cpu'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  | {
      readonly type: 'stop-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly template: string
      /** Before that, the ports on which something in the container listens are read. */
      readonly findsListeners?: true
    }
  | {
      readonly type: 'remove-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      /** Given: what the container leaves behind is read into this before it is removed. */
      readonly failure?: Failure
    }
  | {
      readonly type: 'create-network'
      readonly index: NetworkIndex
      readonly egress: 'internet' | 'none'
    }
  | { readonly type: 'remove-network'; readonly index: NetworkIndex }
  | {
      readonly type: 'attach-director'
      readonly index: NetworkIndex
      readonly director: DirectorId
    }

/** A command on the stream of a director. A probe and an activity check each end in an event, if the director answers. */
export type DirectorStep =
  | {
      readonly type: 'probe'
      readonly director: DirectorId
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly address: Address
      readonly path: string
      readonly deadlineMs: number
    }
  /** Asks the application whether it is busy, at its template's activity path. */
  | {
      readonly type: 'check-activity'
      readonly director: DirectorId
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly address: Address
      readonly path: string
      readonly deadlineMs: number
    }
  | { readonly type: 'introduce'; readonly director: DirectorId }
  | {
      readonly type: 'revoke'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      /** Why it is stopped. Absent: it ended by itself, or is not where it was. */
      readonly reason?: StopReason
    }

/** About a volume that is unused for longer than volumes are kept. Ends in no event: the next inventory tells. */
export type HomeStep =
  | { readonly type: 'remove-home'; readonly volume: string; readonly user: UserName }
  /** Once a day. The volume will be removed, unless it is a dry run. */
  | {
      readonly type: 'announce-home'
      readonly volume: string
      readonly unusedMs: number
      readonly isDryRun: boolean
    }

/** A workspace is in another phase: for logs, metrics and followers. */
export interface Announcement {
  readonly type: 'announce'
  readonly workspace: WorkspaceName
  readonly phase: Phase | 'absent'
  readonly start?: { readonly kind: StartKind; readonly ms: number }
  readonly failure?: Failure
  readonly requestId?: string
}
