// What the loop needs of an engine, in the words of workspaces, networks and volumes. Adapters implement it.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { SessionSignal, TerminalSize } from '@berth/shared/session-frames'
import type {
  Container,
  DirectorId,
  Failure,
  Generation,
  Inventory,
  LastWords,
  Listener,
  NetworkIndex,
  WorkspaceKind,
} from '../policy/domain.ts'
import type { LabelledImage } from '../templates/from-image.ts'
import type { Template } from '../templates/template.ts'

/** People are told the failure. `retry`: the state of the engine is at fault, not the template. */
export type EngineResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: Failure; readonly retry: boolean }

/** What runs on the engine contradicts the settings: going on would end it. Its message says what to do. */
export class SettingsConflict extends Error {
  override readonly name = 'SettingsConflict'
}

export type EngineEvent =
  | { readonly type: 'container-died'; readonly generation: Generation; readonly exitCode: number }
  | { readonly type: 'container-destroyed'; readonly generation: Generation }
  | { readonly type: 'container-out-of-memory'; readonly generation: Generation }
  | {
      readonly type: 'container-health'
      readonly generation: Generation
      readonly health: 'starting' | 'healthy' | 'unhealthy'
    }

export interface UsageReading {
  /** In milliseconds of the engine's clock. */
  readonly at: number
  /** CPU time that the container has used so far, in nanoseconds. */
  readonly cpuNs: number
  /** Without what the kernel keeps of files and would give back. */
  readonly memoryBytes: number
}

/** What a session in a container runs, and how. */
export interface SessionOrder {
  /** Program and words. Absent: the session is attached to the first process of the container. */
  readonly command?: readonly string[]
  /** Empty: the user of the container. */
  readonly user: string
  /** Beside the variables of the container. */
  readonly environment: Readonly<Record<string, string>>
  /** Absent: the process has no terminal, and errors apart from the output. */
  readonly terminal?:
    (TerminalSize & { readonly modes?: readonly string[] | undefined }) | undefined
}

export interface SessionOutput {
  readonly kind: 'output' | 'errors'
  readonly bytes: Buffer
}

/** A process in a container, with what is typed into it and what it prints. */
export interface EngineSession {
  /** Ends with the process, and with the connection to the engine. The reader decides how fast it comes. */
  readonly output: AsyncIterable<SessionOutput>
  /** Resolves once the engine takes more. */
  write(bytes: Buffer): Promise<void>
  endInput(): void
  resize(size: TerminalSize, signal: AbortSignal): Promise<void>
  /** Signals every process of the session. */
  signal(name: SessionSignal, signal: AbortSignal): Promise<void>
  /** After the output has ended. `undefined`: the engine does not know it. */
  exitCode(signal: AbortSignal): Promise<number | undefined>
  /** Nobody is there any more: ends every process of the session, gently first. Resolves when that is done. */
  hangUp(signal: AbortSignal): Promise<void>
}

/**
 * Calls are idempotent: what exists already, or is gone already, is a success. Each keeps a deadline of its own
 * and ends early when `signal` aborts. A call rejects only for faults of the adapter itself.
 */
export interface Engine {
  /**
   * Sees everything that carries our instance's label. Rejects when the engine does not answer.
   *
   * @throws SettingsConflict
   */
  takeInventory(signal: AbortSignal): Promise<Inventory>
  /** The engine's events about our containers, until the stream breaks off. Rejects when it cannot be opened.
   * `onOpen` is called once no event will be missed from then on. */
  events(onOpen: () => void, signal: AbortSignal): AsyncIterable<EngineEvent>
  /** Images on the engine that carry `berth.image.*` or `orca.*` labels, once for each of their names. Rejects when
   * the engine does not answer. */
  images(signal: AbortSignal): Promise<readonly LabelledImage[]>
  /** Makes sure that the image is present: pulls it if the template says so. `onPull` is called when a pull begins and
   * on progress. */
  ensureImage(
    template: Template,
    onPull: (percent: number) => void,
    signal: AbortSignal,
  ): Promise<EngineResult<void>>
  /** Volumes first (compared by label, made writable for the template's user), then the container, not started. */
  createContainer(
    order: {
      readonly workspace: WorkspaceName
      readonly template: Template
      /** Absent: private. */
      readonly kind?: WorkspaceKind
      /** Of a private workspace. */
      readonly owner: Person | undefined
      readonly network: NetworkIndex
    },
    signal: AbortSignal,
  ): Promise<EngineResult<Container>>
  startContainer(
    generation: Generation,
    network: NetworkIndex,
    signal: AbortSignal,
  ): Promise<EngineResult<{ address: string; health?: 'starting' | 'healthy' | 'unhealthy' }>>
  /** Signal, wait, kill; thaws a paused one first. */
  stopContainer(
    generation: Generation,
    options: { readonly signal: string; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<EngineResult<{ exitCode?: number }>>
  /** The container keeps its memory and its connections, and answers nothing. */
  freezeContainer(generation: Generation, signal: AbortSignal): Promise<EngineResult<void>>
  thawContainer(generation: Generation, signal: AbortSignal): Promise<EngineResult<void>>
  /** The name in the engine's DNS changes too, the hostname in the container does not. Fails with `name_taken`. */
  renameContainer(
    generation: Generation,
    name: WorkspaceName,
    signal: AbortSignal,
  ): Promise<EngineResult<void>>
  /** The processor use of the container over about a second, in per cent of one processor. */
  measureCpu(generation: Generation, signal: AbortSignal): Promise<EngineResult<number>>
  /** One look at what a container uses. Fails for one that does not run. */
  readUsage(generation: Generation, signal: AbortSignal): Promise<EngineResult<UsageReading>>
  /** Removes the container, never its volumes. */
  removeContainer(generation: Generation, signal: AbortSignal): Promise<EngineResult<void>>
  /** What is read of a container before it is removed; an empty log where nothing can be read. */
  lastWords(generation: Generation, signal: AbortSignal): Promise<LastWords>
  /** The TCP ports on which something in a running container listens; none if its image has no means to tell. */
  listeners(generation: Generation, signal: AbortSignal): Promise<readonly Listener[]>
  /** At most that many of the last lines logged, oldest first, ANSI stripped; none if the container is gone. */
  logs(generation: Generation, lines: number, signal: AbortSignal): Promise<readonly string[]>
  /** The log as it is written: the last lines first. Ends with the container, with the signal, and when the engine goes. */
  followLog(
    generation: Generation,
    lines: number,
    signal: AbortSignal,
  ): AsyncIterable<readonly string[]>
  /** Runs a command in a running container. Resolves once it runs. */
  openSession(
    generation: Generation,
    order: SessionOrder,
    signal: AbortSignal,
  ): Promise<EngineResult<EngineSession>>
  /** Whoever holds the private half of the key (in base64, as on the wire) is admitted by the SSH server of that container, if
   * the server reads the file for it. */
  admitKey(generation: Generation, key: string, signal: AbortSignal): Promise<EngineResult<void>>
  /** Ends what sessions of an earlier run of the spawner are left in a running container, as that user. Says how many. */
  endLeftSessions(
    generation: Generation,
    user: string,
    signal: AbortSignal,
  ): Promise<EngineResult<number>>
  /** Removes the volume if it is of this instance and of that person, and no container mounts it. */
  removeHome(volume: string, user: UserName, signal: AbortSignal): Promise<EngineResult<void>>
  /** The bytes that each volume of this instance takes, by name. The engine reads every file of every volume for it.
   * Rejects when the engine does not answer. */
  volumeSizes(signal: AbortSignal): Promise<ReadonlyMap<string, number>>
  /** How many images there are, and the bytes of all their layers. Rejects when the engine does not answer. */
  imageSizes(signal: AbortSignal): Promise<{ readonly count: number; readonly bytes: number }>
  createNetwork(
    index: NetworkIndex,
    signal: AbortSignal,
    egress?: 'internet' | 'none',
  ): Promise<'created' | 'taken' | 'failed'>
  /** Detaches all containers first, stopped ones too. */
  removeNetwork(index: NetworkIndex, signal: AbortSignal): Promise<EngineResult<void>>
  /** Only a running container of this instance with the role of a director. */
  attachDirector(
    index: NetworkIndex,
    director: DirectorId,
    signal: AbortSignal,
  ): Promise<'attached' | 'gone' | 'failed'>
  /** The hash of the description from which a container would be created now. */
  specOf(template: Template, owner: Person | undefined): string
  /** Each part of that description with a hash of it: `image=0a1b2c3d,memory=4e5f6a7b`. */
  partsOf(template: Template, owner: Person | undefined): string
  /** The name of the volume that would be the home; `undefined` if the template has none. */
  homeOf(template: Template, owner: Person | undefined): string | undefined
}
