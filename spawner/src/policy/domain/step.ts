// What the policy orders and answers.
import type { Person, Phase } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { DirectorId, NetworkIndex } from './network.ts'
import type { Failure, Generation, StartKind, WorkspaceKind } from './workspace.ts'
import type { RecordChanges } from './records.ts'
import type { State } from './state.ts'

export type SeatReply =
  | {
      readonly status: 'granted'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly address: { readonly host: string; readonly port: number }
      readonly leaseMs: number
      /** How long its lifetime still lasts, where that ends. */
      readonly endsInMs?: number
    }
  | {
      readonly status: 'waiting'
      readonly workspace: WorkspaceName
      readonly phase: Phase
      readonly position?: number
      readonly etaMs?: number
    }
  | {
      readonly status: 'refused'
      readonly workspace?: WorkspaceName
      readonly failure: Failure
      readonly limit?: number
      readonly position?: number
    }

/** What the loop's executors carry out. Each ends in an event (those of the last group in none). */
export type Step =
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
      readonly type: 'stop-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly template: string
    }
  | {
      readonly type: 'remove-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
      /** Given: read its exit code and last log lines into this before removing. */
      readonly failure?: Failure
    }
  | {
      readonly type: 'freeze-container' | 'thaw-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  /** To the workspace's own name. */
  | {
      readonly type: 'rename-container'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  /** Its use of processors over a second or so. */
  | {
      readonly type: 'measure-cpu'
      readonly workspace: WorkspaceName
      readonly generation: Generation
    }
  | {
      readonly type: 'create-network'
      readonly index: NetworkIndex
      readonly egress: 'internet' | 'none'
    }
  | { readonly type: 'remove-network'; readonly index: NetworkIndex }
  /** Ends in no event: the next look tells. */
  | { readonly type: 'remove-home'; readonly volume: string; readonly user: UserName }
  /** Once a day. `goes`: it will be removed, after a notice. */
  | {
      readonly type: 'announce-home'
      readonly volume: string
      readonly unusedMs: number
      readonly goes: boolean
    }
  | {
      readonly type: 'attach-director'
      readonly index: NetworkIndex
      readonly director: DirectorId
    }
  // said to directors and people
  | {
      readonly type: 'probe'
      readonly director: DirectorId
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly address: { readonly host: string; readonly port: number }
      readonly path: string
      readonly deadlineMs: number
    }
  /** Whether the application is busy, at its template's activity path. */
  | {
      readonly type: 'check-activity'
      readonly director: DirectorId
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly address: { readonly host: string; readonly port: number }
      readonly path: string
      readonly deadlineMs: number
    }
  | { readonly type: 'introduce'; readonly director: DirectorId }
  /** Answers `open-requested`. */
  | { readonly type: 'answer-open'; readonly id: number; readonly workspace?: WorkspaceName }
  | { readonly type: 'revoke'; readonly workspace: WorkspaceName; readonly generation: Generation }
  | { readonly type: 'answer-seat'; readonly id: number; readonly reply: SeatReply }
  | {
      readonly type: 'answer-activity'
      readonly id: number
      readonly leases: readonly {
        readonly workspace: WorkspaceName
        readonly user?: UserName
        readonly leaseMs: number
      }[]
    }
  /** For logs, metrics and followers of the event stream. */
  | {
      readonly type: 'announce'
      readonly workspace: WorkspaceName
      readonly phase: Phase | 'absent'
      readonly start?: { readonly kind: StartKind; readonly ms: number }
      readonly failure?: Failure
    }

export interface Decision {
  readonly state: State
  readonly steps: readonly Step[]
  /** When something falls due by itself; `undefined`: nothing does. */
  readonly wakeAt?: number
  /** Absent: nothing that is recorded is other than before. */
  readonly changes?: RecordChanges
}
