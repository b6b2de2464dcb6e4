// A workspace: its container, its seats, and where it is in its life.
import type { ActivityFinding, Finding, Person, Phase, Scheme } from '@berth/shared/contract'
import type { WorkspaceName } from '@berth/shared/names'
import type { ProblemCode } from '@berth/shared/problems'
import type { DirectorId, NetworkIndex } from './network.ts'

/** A container's full id: what a lease names. */
export type Generation = string

/** `private`: it has one owner. `shared`: several people, or any signed-in person, use it. `standby`: it has no owner yet. */
export type WorkspaceKind = 'private' | 'shared' | 'standby'

/** What a start began from. */
export type StartKind = 'cold' | 'stopped' | 'frozen' | 'standby'

/** Why it stops, and so what becomes of it afterwards. */
export type StopReason =
  | 'idle'
  | 'lifetime'
  | 'failed'
  | 'cancelled'
  | 'replaced'
  /** It has served its total, or drained, and the last has left. */
  | 'retired'
  /** It was evicted for a workspace in the queue. */
  | 'evicted'
  /** Its owner, an administrator or the holder of the token said so. */
  | 'asked'
  /** The same, and its container goes with it. */
  | 'removed'

/** What stood in the way of a start, where that is known. */
export type Obstacle =
  | Finding
  /** The application listens, but only at the loopback address of the container. */
  | 'loopback'
  /** It listens at an address that no director reaches, such as one of IPv6, or began to when the time was over. */
  | 'late'
  /** It listens on another port. */
  | 'other_port'
  /** The health check did not succeed. */
  | 'unhealthy'
  /** The kernel killed it, or a program in it, for memory. */
  | 'memory'
  /** A program in it has to be process 1. */
  | 'process_one'
  /** The machine cannot execute its program. */
  | 'not_executable'
  /** Its program is there, and what should run it is not. */
  | 'no_interpreter'

/** Why a workspace failed or was refused, as people are told. */
export interface Failure {
  readonly code: ProblemCode
  readonly obstacle?: Obstacle
  /** One sentence in plain words. */
  readonly detail: string
  /** What the engine, a registry or a resolver said. For the log only: no person is shown it. */
  readonly cause?: string
  /** Only if the container ended by itself. */
  readonly exitCode?: number
  /** The last lines that the container logged, oldest first, ANSI sequences stripped. */
  readonly log?: readonly string[]
}

/** What is read of a container that is to be removed after a failure. */
export interface LastWords {
  /** The last lines that it logged, oldest first, ANSI sequences stripped. */
  readonly log: readonly string[]
  /** The last output of its health check, in one line, unless the check succeeded. */
  readonly health?: string
  /** The kernel killed it, or a program in it, for memory: the limit in bytes; zero is none. */
  readonly outOfMemory?: number
}

/** A TCP port on which something in the container listens. */
export interface Listener {
  readonly port: number
  /** Only at the loopback address: nothing outside of the container can reach it. */
  readonly loopback: boolean
}

/** A step that is under way for a workspace; one at a time. */
export type WorkspaceStep =
  'pull' | 'create' | 'start' | 'stop' | 'remove' | 'freeze' | 'thaw' | 'rename'

/** One entry of the record that each start leaves: what began when. */
export interface Milestone {
  readonly phase: Phase
  readonly at: number
}

/** One person's place in a workspace. */
export interface Seat {
  readonly person: Person
  /** Place in the order of asking; lower comes first. */
  readonly ticket: number
  readonly since: number
  readonly lastUseAt: number
  /** The last sign of a person who waits. */
  readonly seenAt: number
  /** Until then some director may let this person in without asking (the margin included). */
  readonly leasedUntil: number
  /** Open connections, by the director that reported them. */
  readonly connections: ReadonlyMap<DirectorId, number>
}

export interface Container {
  readonly generation: Generation
  /** Hash of what it was made from (`berth.spec`). */
  readonly spec: string
  /** The same, part by part (`berth.parts`). Absent: it was made before that was recorded. */
  readonly parts?: string
  readonly status: 'created' | 'running' | 'paused' | 'exited'
  /** The name that it has on the engine, where that is not (yet) its workspace's. */
  readonly name?: string
  /** The id of the image that it was made from. */
  readonly imageId?: string
  /** The memory limit that it was made with; zero is none. Absent: the engine could not tell. */
  readonly memoryBytes?: number
  /** Where its application listens and how it speaks there, as its template said when it was made. Absent: it was made
   * before that was recorded. */
  readonly port?: number
  readonly scheme?: Scheme
  readonly exitCode?: number
  /** The kernel killed a process in its present or last run for memory. */
  readonly outOfMemory?: boolean
  /** When it was last started; lifetimes count from it. */
  readonly startedAt?: number
  readonly address?: string
  /** What the image's own health check says; absent where it has none. */
  readonly health?: 'starting' | 'healthy' | 'unhealthy'
}

/** `silent`: it could not be asked. */
type Told = 'asked' | 'busy' | 'idle' | 'silent'

/** What was heard of an application for which an idle step is due. */
export interface Veto {
  /** Asked and not concluded yet: what each way of asking has told so far. */
  readonly question?: {
    /** From then on an answer that has not come counts as `silent`. */
    readonly until: number
    readonly activity?: Told
    readonly cpu?: Told
  }
  /** It is busy, or cannot be asked: not idle before then. */
  readonly busyUntil?: number
  /** When it was last found idle. */
  readonly idleSince?: number
}

export interface Workspace {
  readonly name: WorkspaceName
  readonly template: string
  readonly kind: WorkspaceKind
  /** Of a private one. Groups are those of the last request. */
  readonly owner: Person | undefined
  /** Who has a place in it, in the order of asking. A private one's owner has the only one. */
  readonly seats: readonly Seat[]
  /** How many seats were given in the life of its container. */
  readonly served: number
  /** What was added to its lifetime. */
  readonly extendedMs: number
  /** How long its container ran before it was claimed: not counted in its lifetime. */
  readonly stoodByMs?: number | undefined
  /** Its container has another name still, and was refused its own: not before then is that tried again. */
  readonly renameAt?: number | undefined
  /** Whether its end was announced. */
  readonly endWarned: boolean
  /** It does not end before: its lifetime was over before that was announced. */
  readonly endsNotBefore?: number | undefined
  readonly phase: Phase
  readonly phaseSince: number
  /** When the present start was asked for; elapsed time counts from it. */
  readonly requestedAt: number
  /** Place in the order of asking; lower comes first. */
  readonly ticket: number
  readonly milestones: readonly Milestone[]
  /** Of the request that began the present start, thaw or end. */
  readonly requestId?: string | undefined
  readonly network?: NetworkIndex | undefined
  readonly container?: Container | undefined
  /** What its template said when it was given its place: that counts against `MAX_MEMORY` until there is a container,
   * and for a container without a limit. */
  readonly reservedBytes?: number | undefined
  /** The step under way; its answer, or an inventory that began after it must have ended, clears it. */
  readonly pending?: { readonly step: WorkspaceStep; readonly since: number } | undefined
  /** When the engine's part of it last changed here: an older inventory does not win over that. */
  readonly changedAt: number
  /** Not before then is a failed step ordered again. */
  readonly retryAt?: number | undefined
  /** Until then a start is tried again when the engine fails. */
  readonly retryUntil?: number | undefined
  readonly pullPercent?: number | undefined
  readonly readyBy?: number | undefined
  /** What the last probe that failed met in the present start. */
  readonly met?: { readonly finding: Finding; readonly status?: number } | undefined
  /** Why the last check at the activity path told nothing; absent if it told something. */
  readonly activityMet?: { readonly finding: ActivityFinding; readonly status?: number } | undefined
  /** Directors that were sent a probe of the present generation. */
  readonly probed: readonly DirectorId[]
  readonly lastUseAt: number
  /** The last activity that the application itself told of. */
  readonly activeAt?: number | undefined
  readonly veto?: Veto | undefined
  /** Until then it is frozen while nobody uses it, for a copy of its files. `froze`: it is frozen for no other reason. */
  readonly held?: { readonly until: number; readonly froze: boolean } | undefined
  /** When a person asked for it while it was frozen, or being frozen: it is thawed for them. */
  readonly thawRequestedAt?: number | undefined
  /** Until then some director may hold a lease (the margin included). */
  readonly leasedUntil: number
  /** The last sign of a person who waits. */
  readonly seenAt: number
  readonly stopReason?: StopReason | undefined
  readonly failure?: Failure | undefined
  /** A person asked for it while it was stopping: it is started again afterwards. */
  readonly wanted: boolean
  /** Requests held since before then no longer start it. */
  readonly cancelledAt?: number | undefined
  /** The lifetime ended it, and its owner has not been told yet. */
  readonly endUntold: boolean
  /** When a director first reached the present run of the container. */
  readonly servesSince?: number | undefined
  /** It died while its start was under way. */
  readonly diedAt?: number | undefined
  /** A stop was answered before the engine told of the death: that word, still to come, means nothing. */
  readonly deathUnheard: boolean
}
