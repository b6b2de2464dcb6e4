// What the rest of the spawner may ask of the loop. `web` sees this and the policy's words, nothing else.
import type {
  ActivityAnswer,
  ActivityCheckResult,
  Command,
  Person,
  ProbeResult,
  SeatRequest,
  ShownPhase,
} from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { DirectorId, Generation, SeatReply, State } from '../policy/domain.ts'
import type { View as WorkspaceView } from '../policy/asked/view.ts'

export type { View as WorkspaceView } from '../policy/asked/view.ts'

/** A workspace has come to another phase, or is gone. */
export interface Announced {
  readonly workspace: WorkspaceName
  readonly phase: ShownPhase
}

export interface Workspaces extends AsyncDisposable {
  /** Resolves after the first look at the engine, or with an unreachable engine after its deadline. */
  start(): Promise<void>
  /** True once a look at the engine succeeded and its events are heard, as long as records can be saved. */
  ready(): boolean
  /** Holds the answer until granted or refused, `waitMs` pass or `signal` aborts, then gives the last reply.
   * A grant's `leaseMs` includes the time held. */
  askSeat(request: SeatRequest, signal: AbortSignal): Promise<SeatReply>
  reportActivity(
    director: DirectorId,
    seats: readonly {
      readonly workspace: string
      readonly generation?: Generation | undefined
      readonly user: UserName
      readonly lastUseAgoMs: number
      readonly connections: number
    }[],
  ): Promise<ActivityAnswer['leases']>
  answerProbe(result: ProbeResult): void
  /** An application's own word on whether it is busy. */
  answerAsk(result: ActivityCheckResult): void
  /** Introduces a director; `send` gets its commands until disposed. A second stream of one id replaces the first. */
  connectDirector(director: DirectorId, send: (command: Command) => void): Disposable
  /** A sign of somebody who waits at a page or an event stream. In this and the next, `only` is the one workspace
   * that a route leads to. */
  seen(person: Person, template: string, only?: WorkspaceName): void
  /** A person asks for a start, also after a failure or an end of life. */
  requestStart(person: Person, template: string, only?: WorkspaceName): void
  /** A person leaves the queue, or stops waiting for a start that has not begun. */
  cancelStart(person: Person, template: string, only?: WorkspaceName): void
  view(person: Person, template: string, only?: WorkspaceName): WorkspaceView
  /** Calls back after each change of that person's workspace, until disposed. */
  follow(person: Person, template: string, changed: () => void, only?: WorkspaceName): Disposable
  /** The only template there is, or the named one. */
  templateNamed(name: string): { readonly name: string; readonly title: string } | undefined
  /** Its owner, an administrator or the holder of the token has decided: leases do not count. */
  end(workspace: WorkspaceName, how: 'stop' | 'remove' | 'restart'): void
  /** Adds to its lifetime, once, if its template allows it. With a person, only if they own it or have a seat in it. */
  extend(workspace: WorkspaceName, person?: Person): void
  /** A workspace that is anybody's, under a name of its own; absent: it may not be. */
  open(template: string): WorkspaceName | undefined
  /** How everything stands. */
  state(): State
  /** Calls back at each new phase of any workspace, until disposed. */
  followAll(heard: (announced: Announced) => void): Disposable
  /** At most that many of the last lines that it logged, oldest first. */
  logs(workspace: WorkspaceName, lines: number, signal: AbortSignal): Promise<readonly string[]>
}
