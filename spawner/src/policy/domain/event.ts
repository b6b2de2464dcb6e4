// The events that the policy decides on.
import type { ActivityFinding, Finding, Person, SeatRequest } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { PolicyConfig } from './config.ts'
import type { DirectorId, NetworkIndex } from './network.ts'
import type { Container, Failure, Generation, Listener, WorkspaceStep } from './workspace.ts'
import type { Inventory } from './inventory.ts'

export type Event =
  | { readonly type: 'inventory-taken'; readonly inventory: Inventory }
  | { readonly type: 'engine-lost'; readonly detail: string }
  | { readonly type: 'tick' }
  /** Templates or limits were changed. */
  | { readonly type: 'config-changed'; readonly config: PolicyConfig }
  // people
  | {
      readonly type: 'seat-requested'
      readonly request: SeatRequest
      /** When a held request was first submitted; absent: now. A request that is held since before a cancel, or since
       * before the workspace became ready again, must not undo that. */
      readonly since?: number
      readonly requestId?: string | undefined
    }
  /** A person still waits at a page or on an event stream. */
  | { readonly type: 'person-present'; readonly workspace: WorkspaceName; readonly user: Person }
  | {
      readonly type: 'start-requested'
      readonly template: string
      readonly user: Person
      /** The route leads to this one workspace alone. */
      readonly workspace?: WorkspaceName
      readonly requestId?: string | undefined
    }
  | {
      readonly type: 'cancel-requested'
      readonly template: string
      readonly user: Person
      /** The route leads to this one workspace alone. */
      readonly workspace?: WorkspaceName
      readonly requestId?: string | undefined
    }
  /** On behalf of the owner, an administrator or the holder of the token: leases do not count.
   * `restart`: the workspace is created anew from the present description. */
  | {
      readonly type: 'end-requested'
      readonly workspace: WorkspaceName
      readonly how: 'stop' | 'remove' | 'restart'
      readonly requestId?: string | undefined
    }
  /** An administrator gives the place of a person to the next one: in the queue, or the seat in a shared workspace. */
  | {
      readonly type: 'place-released'
      readonly workspace: WorkspaceName
      readonly user: UserName
    }
  /** `user`: the extension is given only if this person owns the workspace or has a seat in it; absent: the holder of
   * the token requests it. */
  | {
      readonly type: 'extend-requested'
      readonly workspace: WorkspaceName
      readonly user?: Person | undefined
    }
  /** A command copies the files of the workspace: it is to be frozen meanwhile, if nobody uses it. */
  | { readonly type: 'hold-requested'; readonly workspace: WorkspaceName; readonly ms: number }
  | { readonly type: 'hold-ended'; readonly workspace: WorkspaceName }
  /** The holder of the token opens a workspace under a name of its own, which every person who is signed in may join. */
  | {
      readonly type: 'open-requested'
      readonly template: string
      readonly requestId?: string | undefined
    }
  // directors
  | { readonly type: 'director-connected'; readonly director: DirectorId }
  | { readonly type: 'director-gone'; readonly director: DirectorId }
  | {
      readonly type: 'activity-reported'
      readonly director: DirectorId
      readonly seats: readonly {
        readonly workspace: WorkspaceName
        readonly generation?: Generation
        readonly user: UserName
        readonly lastUseAgoMs: number
        readonly connections: number
      }[]
    }
  | {
      readonly type: 'probe-answered'
      readonly director: DirectorId
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly reachable: boolean
      /** What the last try met. */
      readonly finding?: Finding
      readonly status?: number
    }
  /** What the application said about whether it is busy. Neither field: it could not be asked. */
  | {
      readonly type: 'activity-answered'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly busy?: boolean
      readonly lastActivityAgoMs?: number
      /** Why it told nothing. */
      readonly finding?: ActivityFinding
      readonly status?: number
    }
  // reported by the engine
  | { readonly type: 'container-died'; readonly generation: Generation; readonly exitCode: number }
  | { readonly type: 'container-destroyed'; readonly generation: Generation }
  /** The kernel killed a process in it for memory. The container may go on. */
  | { readonly type: 'container-out-of-memory'; readonly generation: Generation }
  | {
      readonly type: 'container-health'
      readonly generation: Generation
      readonly health: 'starting' | 'healthy' | 'unhealthy'
    }
  // the results of steps
  | {
      readonly type: 'pull-progressed'
      readonly workspace: WorkspaceName
      readonly percent: number
    }
  | { readonly type: 'image-present'; readonly workspace: WorkspaceName; readonly image: string }
  | {
      readonly type: 'container-created'
      readonly workspace: WorkspaceName
      readonly container: Container
    }
  | {
      readonly type: 'container-started'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly address: string
      readonly health?: 'starting' | 'healthy' | 'unhealthy'
    }
  | {
      readonly type: 'container-frozen'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  | {
      readonly type: 'container-thawed'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  | {
      readonly type: 'container-renamed'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  /** In per cent of one processor; absent: the use could not be measured. */
  | {
      readonly type: 'cpu-measured'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly percent?: number
    }
  | {
      readonly type: 'container-stopped'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly exitCode?: number
      /** Where something in it listened, if that was to be found and could be. */
      readonly listeners?: readonly Listener[]
    }
  | {
      readonly type: 'container-removed'
      readonly workspace: WorkspaceName
      /** Why the workspace failed, with the last log lines, which were read before the container was removed. */
      readonly failure?: Failure
    }
  /** `retry`: a fault of the engine, so the step is retried; otherwise the start has failed. */
  | {
      readonly type: 'step-failed'
      readonly workspace: WorkspaceName
      readonly step: WorkspaceStep
      readonly failure: Failure
      readonly retry: boolean
    }
  | { readonly type: 'network-created'; readonly index: NetworkIndex }
  /** The network could not be created or removed. `taken`: its subnet or name is used by something that is not ours; it
   * is not tried again before the next inventory. */
  | { readonly type: 'network-failed'; readonly index: NetworkIndex; readonly taken: boolean }
  | { readonly type: 'network-removed'; readonly index: NetworkIndex }
  | {
      readonly type: 'director-attached'
      readonly index: NetworkIndex
      readonly director: DirectorId
    }
  | {
      readonly type: 'director-attach-failed'
      readonly index: NetworkIndex
      readonly director: DirectorId
      /** There is no running director of this instance under that id. */
      readonly gone: boolean
    }
