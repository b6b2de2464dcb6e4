// What the rest of the spawner may ask of the loop. `web` sees this and the policy's words, nothing else.
import type {
  ActivityAnswer,
  ActivityCheckResult,
  Command,
  Person,
  Phase,
  ProbeResult,
  SeatAnswer,
  SeatRequest,
  SessionOrder,
  ShownPhase,
  SshServerRequest,
  Use,
  UseReport,
} from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { DirectorId, Generation, SeatRefusal, State } from '../policy/domain.ts'
import type { Template } from '../templates/template.ts'
import type { EngineResult, EngineSession } from './engine.ts'
import type { HomeSize, HomeSizes } from './home-sizes.ts'
import type { View as WorkspaceView } from '../policy/asked/view.ts'

export type { HomeSize } from './home-sizes.ts'
export type { View as WorkspaceView } from '../policy/asked/view.ts'

/** A workspace has entered another phase, or is gone. */
export interface Announced {
  readonly workspace: WorkspaceName
  readonly phase: ShownPhase
}

/** With the same phase and `since` at two moments, the workspace was in that phase all the time between. */
export interface Held {
  readonly phase: Phase
  readonly since: number
}

export interface Workspaces extends AsyncDisposable {
  /** Resolves after the first inventory, or once the engine did not answer within a deadline. */
  start(): Promise<void>
  /** True once an inventory succeeded and the engine's events are heard, as long as records can be saved. */
  ready(): boolean
  /** Holds the answer until the seat is granted or refused, `waitMs` pass or `signal` aborts, then gives the latest.
   * A grant's `leaseMs` includes the time held. */
  requestSeat(
    request: SeatRequest,
    signal: AbortSignal,
    requestId?: string,
  ): Promise<SeatAnswer | SeatRefusal>
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
  reportProbe(result: ProbeResult): void
  /** What an application said about whether it is busy. */
  reportActivityCheck(result: ActivityCheckResult): void
  /** What counted as use of the workspace in the last minutes, as the directors report it now. */
  usesOf(workspace: WorkspaceName): Promise<readonly Use[]>
  reportUses(report: UseReport): void
  /** Introduces a director; `send` gets its commands until disposed. A second stream of one id replaces the first. */
  connectDirector(director: DirectorId, send: (command: Command) => void): Disposable
  /** The person still waits at a page or an event stream. In this and the next, `only` is the one workspace that the
   * route leads to. */
  reportPresence(person: Person, template: string, only?: WorkspaceName): void
  /** A person requests a start, also after a failure or the end of a lifetime. */
  requestStart(person: Person, template: string, only?: WorkspaceName, requestId?: string): void
  /** A person opens a page that starts nothing: for the history alone. */
  noteVisit(person: Person): void
  /** A person leaves the queue, or stops waiting for a start that has not begun. */
  cancelStart(person: Person, template: string, only?: WorkspaceName, requestId?: string): void
  view(person: Person, template: string, only?: WorkspaceName): WorkspaceView
  /** Calls back after each change of that person's workspace, until disposed. */
  follow(person: Person, template: string, changed: () => void, only?: WorkspaceName): Disposable
  /** The template of that name; for an empty name the only one that is offered. */
  templateNamed(name: string): { readonly name: string; readonly title: string } | undefined
  /** On behalf of the owner, an administrator or the holder of the token: leases do not count. */
  end(workspace: WorkspaceName, how: 'stop' | 'remove' | 'restart', requestId?: string): void
  /** On behalf of an administrator: the next person gets that person's place in the queue, or seat. */
  release(workspace: WorkspaceName, user: UserName): void
  /** The files of the workspace are copied: it is frozen meanwhile, as soon as nobody uses it. Asked again, the hold lasts
   * longer. @returns `undefined` if there is no such workspace */
  hold(workspace: WorkspaceName, ms: number): Held | undefined
  /** The copy is done. @returns what held until now */
  endHold(workspace: WorkspaceName): Held | undefined
  /** Adds to the lifetime, once, if the template allows it. With a person, only if they own the workspace or have a
   * seat in it. */
  extend(workspace: WorkspaceName, person?: Person): void
  /** Opens a workspace without an owner, which every person may join. @returns its name; `undefined` where there is no
   * place for it */
  openShared(template: string, requestId?: string): WorkspaceName | undefined
  /** `undefined`: the person has no home of that template yet. */
  homeSize(person: Person, template: Template): HomeSize | undefined
  /** Begins to compute the sizes of all homes, unless that was done a short time ago. */
  measureHomes(): void
  /** Of the volumes of this instance together; absent until they were computed. */
  homesTotal(): ReturnType<HomeSizes['total']>
  /** Calls back when that begins and ends, until disposed. */
  followHomeSizes(changed: () => void): Disposable
  state(): State
  /** Calls back at each new phase of any workspace, until disposed. */
  followAll(changed: (announced: Announced) => void): Disposable
  /** At most that many of the last lines that the workspace logged, oldest first. */
  logs(workspace: WorkspaceName, lines: number, signal: AbortSignal): Promise<readonly string[]>
  /** The same, and then what the present container logs, until it ends. */
  followLog(
    workspace: WorkspaceName,
    lines: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly string[]>
  /** Runs a shell for a person who has a seat in the workspace, if its template allows it. */
  openSession(order: SessionOrder, signal: AbortSignal): Promise<EngineResult<EngineSession>>
  /** Has the SSH server in the workspace admit the director that holds the key, for a person who has a seat there. */
  admitDirector(
    asked: Omit<SshServerRequest, 'director' | 'hostKey'>,
    signal: AbortSignal,
  ): Promise<EngineResult<void>>
}
