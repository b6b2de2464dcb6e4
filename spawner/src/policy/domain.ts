// The words of the policy: what the spawner knows (state), what it hears (events), what it orders (steps).
// Times are monotonic milliseconds of one clock unless named otherwise. No I/O, no classes, no mutation.
import type { Person, Phase } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type { ProblemCode } from '@berth/shared/problems'
import type { Template } from '../templates/template.ts'

/** A container's full id: what a lease names. */
export type Generation = string
/** A director's container: its short id, which is its host name. */
export type DirectorId = string
/** The number of a /28 network in `NETWORK_POOL`. */
export type NetworkIndex = number

/** Zero is off. */
export interface Limits {
  readonly maxWorkspaces: number
  readonly maxWorkspacesPerUser: number
  readonly maxStarting: number
  readonly maxQueue: number
  /** The sum of what the templates of all that hold a place may use. */
  readonly maxMemoryBytes: number
  /** Frozen ones give way, least recently used first, when somebody waits for a place. */
  readonly evictsFrozen: boolean
  /** How long a person's volumes are kept after their last use; zero: for ever. */
  readonly keepHomesMs: number
  /** Says which volumes would go instead of removing them. */
  readonly keepHomesDryRun: boolean
}

export interface PolicyConfig {
  readonly limits: Limits
  readonly templates: ReadonlyMap<string, Template>
  readonly lease: LeaseTimes
  /** How many networks stand ready without a workspace. */
  readonly spareNetworks: number
  /** How many networks the pool holds. */
  readonly networkCount: number
  /** How long someone counts as there after the last sign of them (30 s). */
  readonly presenceMs: number
  /** How long a failed or ended workspace without a container is remembered. */
  readonly forgetAfterMs: number
  /** How long a step that failed for the engine's sake rests before it is ordered again. */
  readonly retryAfterMs: number
  /** The hash of what a container would be made from now (the engine's `specOf`). Pure. */
  readonly specOf: (template: Template, owner: Person | undefined) => string
}

export interface LeaseTimes {
  /** At most a quarter of the shortest idle step. */
  readonly leaseMs: number
  /** Added on the spawner's side; more than the interval of the directors' reports (`leaseMs / 4`). */
  readonly marginMs: number
}

/** Why a workspace failed or was refused, as people are told. */
export interface Failure {
  readonly code: ProblemCode
  /** One sentence in plain words. */
  readonly detail: string
  readonly exitCode?: number
  /** The last lines that the container logged, oldest first, ANSI sequences stripped. */
  readonly log?: readonly string[]
}

/** A step that is under way for a workspace; one at a time. */
export type WorkspaceStep =
  'pull' | 'create' | 'start' | 'stop' | 'remove' | 'freeze' | 'thaw' | 'rename'

/** What a start began from. */
export type StartKind = 'cold' | 'stopped' | 'frozen' | 'standby'

/** One entry of the record that each start leaves: what began when. */
export interface Milestone {
  readonly phase: Phase
  readonly at: number
}

/** Why it stops, and so what becomes of it afterwards. */
export type StopReason =
  | 'idle'
  | 'lifetime'
  | 'failed'
  | 'cancelled'
  | 'replaced'
  /** It has served its total, or drained, and the last has left. */
  | 'retired'
  /** It made room for somebody who waits. */
  | 'evicted'
  /** Its owner, an administrator or the holder of the token said so. */
  | 'asked'
  /** The same, and its container goes with it. */
  | 'removed'

/** Whose it is. `private`: one owner's. `shared`: several people's, or anybody's. `standby`: nobody's yet. */
export type WorkspaceKind = 'private' | 'shared' | 'standby'

/** One person's place in a workspace. */
export interface Seat {
  readonly person: Person
  /** Place in the order of asking; lower comes first. */
  readonly turn: number
  readonly since: number
  readonly lastUseAt: number
  /** The last sign of somebody who waits. */
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
  readonly status: 'created' | 'running' | 'paused' | 'exited'
  /** The name that it has on the engine, where that is not (yet) its workspace's. */
  readonly name?: string
  /** The id of the image that it was made from. */
  readonly imageId?: string
  readonly exitCode?: number
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
  readonly phase: Phase
  readonly phaseSince: number
  /** When the present start was asked for; elapsed time counts from it. */
  readonly requestedAt: number
  /** Place in the order of asking; lower comes first. */
  readonly turn: number
  readonly milestones: readonly Milestone[]
  readonly network?: NetworkIndex | undefined
  readonly container?: Container | undefined
  /** The step under way; its answer, or a look that began after it must have ended, clears it. */
  readonly pending?: { readonly step: WorkspaceStep; readonly since: number } | undefined
  /** When the engine's part of it last changed here: an older look does not win over that. */
  readonly changedAt: number
  /** Not before then is a failed step ordered again. */
  readonly retryAt?: number | undefined
  /** Until then a start is tried again when the engine fails. */
  readonly retryUntil?: number | undefined
  readonly pullPercent?: number | undefined
  readonly readyBy?: number | undefined
  /** Directors that were sent a probe of the present generation. */
  readonly probed: readonly DirectorId[]
  readonly lastUseAt: number
  /** The last activity that the application itself told of. */
  readonly activeAt?: number | undefined
  readonly veto?: Veto | undefined
  /** When somebody asked for it while it was frozen, or being frozen: it is thawed for them. */
  readonly wakeAskedAt?: number | undefined
  /** Until then some director may hold a lease (the margin included). */
  readonly leasedUntil: number
  /** The last sign of somebody who waits. */
  readonly seenAt: number
  readonly stopReason?: StopReason | undefined
  readonly failure?: Failure | undefined
  /** Somebody asked for it while it was stopping: it is started again afterwards. */
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

export interface Network {
  readonly index: NetworkIndex
  readonly status: 'creating' | 'up' | 'removing'
  /** The workspace that has it, if any. */
  readonly workspace?: WorkspaceName | undefined
  /** Where it leads: `none`, nowhere but to the directors. */
  readonly egress: 'internet' | 'none'
  readonly attached: readonly DirectorId[]
  /** Attachments under way. */
  readonly attaching: readonly { readonly director: DirectorId; readonly since: number }[]
  /** Attachments that failed, and when they are tried again. */
  readonly failing: readonly { readonly director: DirectorId; readonly retryAt: number }[]
  /** Addresses on it rest until then: nobody else gets them, and it is not removed, so that a look
   * after a crash still finds it. */
  readonly restsUntil: number
  /** When something became true of it here, or was ordered: an older look does not win over that. Attempts that
   * fail do not count, or a network that vanished would never be missed while it is tried again. */
  readonly changedAt: number
  /** Set: creating or removing it failed, and is not under way before then. */
  readonly retryAt?: number | undefined
}

export interface Director {
  readonly id: DirectorId
  /** Its stream of commands is open. */
  readonly connected: boolean
  /** `routes` was sent: it is attached to every network there was. */
  readonly introduced: boolean
  /** The last time it asked for a seat. */
  readonly askedAt: number
}

/** What there is, counted. */
export interface Tally {
  /** Workspaces that hold one. */
  readonly places: number
  readonly starting: number
  /** The sum of what the templates of all that hold a place may use. */
  readonly memoryBytes: number
  /** Frozen ones and standbys: they may have to give way. */
  readonly yielding: number
  /** Those that are stopping: their places will be free. */
  readonly leaving: number
  readonly byTemplate: ReadonlyMap<string, TemplateTally>
  /** Workspaces that a person owns or has a seat in. */
  readonly byPerson: ReadonlyMap<UserName, readonly WorkspaceName[]>
}

export interface TemplateTally {
  readonly places: number
  /** All of its workspaces, also those without a place. */
  readonly names: ReadonlyMap<WorkspaceName, true>
}

export interface State {
  readonly config: PolicyConfig
  /** False until the first look at the engine: nothing is decided before. */
  readonly looked: boolean
  /** When the latest look began: one that began before it says nothing any more. */
  readonly lookedAt: number
  readonly engine: { readonly reachable: boolean; readonly detail?: string }
  readonly workspaces: ReadonlyMap<WorkspaceName, Workspace>
  readonly networks: ReadonlyMap<NetworkIndex, Network>
  /** Numbers that a foreign network on the engine overlaps. */
  readonly foreignIndexes: ReadonlySet<NetworkIndex>
  /** Numbers that rest after their network was removed, until then. */
  readonly restingIndexes: ReadonlyMap<NetworkIndex, number>
  /** When workspaces, containers and networks went that are no longer here, until a look has begun after that. */
  readonly departed: ReadonlyMap<WorkspaceName | Generation | NetworkIndex, number>
  readonly directors: ReadonlyMap<DirectorId, Director>
  /** Subject of each home there is, by its owner's exact name. */
  readonly subjects: ReadonlyMap<UserName, string>
  /** Names on the engine that are somebody else's: never touched. */
  readonly foreignNames: ReadonlySet<string>
  readonly nextTurn: number
  /** Those who wait for a place, first come first. The same array as long as nothing in it changes. */
  readonly queue: readonly WorkspaceName[]
  readonly measured: Measured
  readonly homes: ReadonlyMap<string, Home>
  /** Names of all that stand by, or are to. */
  readonly standbys: ReadonlySet<WorkspaceName>
  /** Templates whose standbys failed of late. */
  readonly standbyFailures: ReadonlyMap<string, StandbyFailures>
  readonly tally: Tally
  /** When somebody gave up their seat in a shared template, by `cancelKey`: what is held since before then does not
   * take another. */
  readonly cancels: ReadonlyMap<string, number>
  /** What was recorded before the start, until the first look shows what is still there of it. */
  readonly recorded: readonly WorkspaceRecord[]
  /** Ids of the images that templates' names lead to now, as far as known. */
  readonly images: ReadonlyMap<string, string>
  /** Nothing falls due by itself before then; infinite: nothing does at all. */
  readonly dueAt: number
}

/** What the store keeps of a person's volume. */
export interface HomeRecord {
  readonly volume: string
  readonly user: UserName
  /** Its last use, or when it was first seen, in milliseconds since 1970; to the hour. */
  readonly lastUseAt: number
}

export interface Home extends HomeRecord {
  /** Since then it is known to be unused for longer than volumes are kept. */
  readonly dueSince?: number | undefined
  readonly toldAt?: number | undefined
  readonly orderedAt?: number | undefined
}

export interface StandbyFailures {
  /** One after the other. */
  readonly count: number
  /** Until then there is no other try. */
  readonly until: number
}

/** What the store keeps of a workspace: what was given later, which labels cannot tell. */
export interface WorkspaceRecord {
  readonly name: WorkspaceName
  readonly template: string
  readonly kind: WorkspaceKind
  readonly owner: Person | undefined
  /** Absent for one that has no container yet. */
  readonly generation: Generation | undefined
  /** Its place in the order of asking, while it waits to be started or is being started. */
  readonly queuedTurn: number | undefined
  readonly seats: readonly RecordedSeat[]
  readonly served: number
  readonly extendedMs: number
  readonly stoodByMs: number
}

export interface RecordedSeat {
  readonly person: Person
  readonly turn: number
}

/** What a decision changes of the records: saved before any step of it is carried out. */
export interface RecordChanges {
  /** `former`: what the store has of it. */
  readonly saved: readonly { readonly record: WorkspaceRecord; readonly former?: WorkspaceRecord }[]
  readonly removed: readonly WorkspaceName[]
  readonly nextTurn?: number
  readonly homes?: readonly HomeRecord[]
  readonly homesGone?: readonly string[]
}

/** All that the store has, as it is read once at start. */
export interface Recorded {
  readonly workspaces: readonly WorkspaceRecord[]
  readonly nextTurn: number
  readonly homes?: readonly HomeRecord[]
}

/** Durations of the last starts (from the place taken to ready) and stays (from ready to its end), newest last. */
export interface Measured {
  readonly coldMs: readonly number[]
  readonly standbyMs: readonly number[]
  readonly frozenMs: readonly number[]
  readonly stoppedMs: readonly number[]
  readonly staysMs: readonly number[]
}

/** Who asks for a seat, and what the asking may bring about. */
export interface SeatQuestion {
  readonly director: DirectorId
  readonly user: Person
  readonly template: string
  /** The route leads to this one workspace alone. */
  readonly workspace?: WorkspaceName
  readonly start: 'no' | 'wake' | 'start'
  readonly navigation: boolean
  readonly unreachable?: Generation
  /** When the request was first asked, if it is held and asked again; otherwise now. What is held since before
   * a cancel or before the workspace became ready again must not undo that. */
  readonly since?: number
}

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

/** What one look at the whole engine saw. Ages are in milliseconds before the look began. */
export interface Look {
  readonly startedAt: number
  readonly containers: readonly SeenContainer[]
  readonly networks: readonly SeenNetwork[]
  readonly foreignIndexes: readonly NetworkIndex[]
  readonly foreignNames: readonly string[]
  readonly subjects: ReadonlyMap<UserName, string>
  /** Short ids of running directors of this instance. */
  readonly directors: readonly DirectorId[]
  /** Ids of the images that these names lead to. */
  readonly images: ReadonlyMap<string, string>
  /** Absent: nothing is known of them. */
  readonly homes?: readonly SeenHome[]
  /** When it began, in milliseconds since 1970. */
  readonly wallAt?: number
}

export interface SeenContainer {
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
export interface SeenHome {
  readonly volume: string
  readonly user: UserName
  /** By any container, whosever, running or not. */
  readonly mounted: boolean
}

export interface SeenNetwork {
  readonly index: NetworkIndex
  readonly egress: 'internet' | 'none'
  readonly attached: readonly DirectorId[]
}

export type Event =
  | { readonly type: 'looked'; readonly look: Look }
  | { readonly type: 'engine-lost'; readonly detail: string }
  | { readonly type: 'tick' }
  /** Templates or limits are others from now on. */
  | { readonly type: 'config-changed'; readonly config: PolicyConfig }
  // people
  | { readonly type: 'seat-asked'; readonly id: number; readonly question: SeatQuestion }
  /** A person waits at a page or on an event stream. */
  | { readonly type: 'seen'; readonly workspace: WorkspaceName; readonly user: Person }
  | {
      readonly type: 'start-asked'
      readonly template: string
      readonly user: Person
      /** The route leads to this one workspace alone. */
      readonly workspace?: WorkspaceName
    }
  | {
      readonly type: 'cancel-asked'
      readonly template: string
      readonly user: Person
      /** The route leads to this one workspace alone. */
      readonly workspace?: WorkspaceName
    }
  /** Its owner, an administrator or the holder of the token has decided: leases do not count.
   * `restart`: it begins anew from the present description. */
  | {
      readonly type: 'end-asked'
      readonly workspace: WorkspaceName
      readonly how: 'stop' | 'remove' | 'restart'
    }
  | { readonly type: 'extend-asked'; readonly template: string; readonly user: Person }
  /** A workspace that is anybody's (who is signed in), under a name of its own, made by the holder of the token. */
  | { readonly type: 'open-asked'; readonly template: string; readonly id: number }
  // directors
  | { readonly type: 'director-connected'; readonly director: DirectorId }
  | { readonly type: 'director-gone'; readonly director: DirectorId }
  | {
      readonly type: 'activity-reported'
      readonly id: number
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
  | { readonly type: 'image-present'; readonly workspace: WorkspaceName }
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
      readonly type: 'ask-activity'
      readonly director: DirectorId
      readonly workspace: WorkspaceName
      readonly generation: Generation
      readonly address: { readonly host: string; readonly port: number }
      readonly path: string
      readonly deadlineMs: number
    }
  | { readonly type: 'introduce'; readonly director: DirectorId }
  /** Answers `open-asked`. */
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
