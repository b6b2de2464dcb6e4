// What the policy hears.
import type { Person, SeatRequest } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { PolicyConfig } from './config.ts'
import type { DirectorId, NetworkIndex } from './network.ts'
import type { Container, Failure, Generation, WorkspaceStep } from './workspace.ts'
import type { Inventory } from './inventory.ts'

export type Event =
  | { readonly type: 'inventory-taken'; readonly inventory: Inventory }
  | { readonly type: 'engine-lost'; readonly detail: string }
  | { readonly type: 'tick' }
  /** Templates or limits are others from now on. */
  | { readonly type: 'config-changed'; readonly config: PolicyConfig }
  // people
  | {
      readonly type: 'seat-requested'
      readonly request: SeatRequest
      /** When a held request was first submitted; absent: now. A request that is held since before a cancel, or since
       * before the workspace became ready again, must not undo that. */
      readonly since?: number
    }
  /** A person waits at a page or on an event stream. */
  | { readonly type: 'person-present'; readonly workspace: WorkspaceName; readonly user: Person }
  | {
      readonly type: 'start-requested'
      readonly template: string
      readonly user: Person
      /** The route leads to this one workspace alone. */
      readonly workspace?: WorkspaceName
    }
  | {
      readonly type: 'cancel-requested'
      readonly template: string
      readonly user: Person
      /** The route leads to this one workspace alone. */
      readonly workspace?: WorkspaceName
    }
  /** Its owner, an administrator or the holder of the token has decided: leases do not count.
   * `restart`: it begins anew from the present description. */
  | {
      readonly type: 'end-requested'
      readonly workspace: WorkspaceName
      readonly how: 'stop' | 'remove' | 'restart'
    }
  /** `user`: only where this person owns it or has a seat in it; absent: the holder of the token asks. */
  | {
      readonly type: 'extend-requested'
      readonly workspace: WorkspaceName
      readonly user?: Person | undefined
    }
  /** A workspace that is anybody's (who is signed in), under a name of its own, made by the holder of the token. */
  | { readonly type: 'open-requested'; readonly template: string }
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
    }
  /** An application's own word. Neither: it could not be asked. */
  | {
      readonly type: 'activity-answered'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly busy?: boolean
      readonly lastActivityAgoMs?: number
    }
  // the engine, of its own accord
  | { readonly type: 'container-died'; readonly generation: Generation; readonly exitCode: number }
  | { readonly type: 'container-destroyed'; readonly generation: Generation }
  | {
      readonly type: 'container-health'
      readonly generation: Generation
      readonly health: 'starting' | 'healthy' | 'unhealthy'
    }
  // answers to steps
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
  /** In per cent of one processor; absent: it could not be measured. */
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
    }
  | {
      readonly type: 'container-removed'
      readonly workspace: WorkspaceName
      /** Why it had failed, with its last log lines, read before it was removed. */
      readonly failure?: Failure
    }
  /** `retry`: the engine's fault, to be tried again; otherwise the start has failed. */
  | {
      readonly type: 'step-failed'
      readonly workspace: WorkspaceName
      readonly step: WorkspaceStep
      readonly failure: Failure
      readonly retry: boolean
    }
  | { readonly type: 'network-created'; readonly index: NetworkIndex }
  /** Making it failed, or removing it did. `taken`: somebody else has that subnet or name; it is never tried again before the next look. */
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
      /** It is no running director of ours. */
      readonly gone: boolean
    }
