// For the model test: what the parts of the simulated world know of each other, and how they report a broken invariant.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type {
  Container,
  DirectorId,
  Event,
  Generation,
  NetworkIndex,
  PolicyConfig,
  Recorded,
  State,
  WorkspaceKind,
} from '../domain.ts'

export interface WorldOptions {
  readonly seed: number
  readonly people: number
  /** Some of the people have no sign-in. */
  readonly guests: boolean
  /** The most guests with a workspace. Zero is no limit. */
  readonly maxGuests: number
  readonly maxWorkspaces: number
  readonly maxStarting: number
  /** In units. At first, a workspace of `lab` needs one unit and a workspace of `hub` two. */
  readonly maxMemory: number
  /** The template of every second person. */
  readonly hub: {
    readonly seats: number
    readonly seatsTotal: number
    readonly seatIdleMs: number
    readonly persists: boolean
    readonly drainAfterMs: number
    readonly maxWorkspaces: number
  }
  readonly maxQueue: number
  readonly spareNetworks: number
  readonly networkCount: number
  readonly idleFreezeMs: number
  readonly idleStopMs: number
  readonly idleRemoveMs: number
  readonly maxLifetimeMs: number
  /** The number of standbys. If it is zero, people have homes. */
  readonly standby: number
  /** How applications are asked whether they are busy, and for how long they may be busy. */
  readonly veto: { readonly asks: boolean; readonly measures: boolean; readonly atMostMs: number }
}

export interface Lease {
  readonly workspace: WorkspaceName
  readonly generation: Generation
  readonly network: NetworkIndex | undefined
  readonly user: Person
  /** The expiry as the director counts it, from before its request. */
  readonly until: number
  readonly lastUseAt: number
}

export interface WorldDirector {
  readonly id: DirectorId
  connected: boolean
  introduced: boolean
  /** By person. The key is the name of the person's own workspace of `lab`. */
  readonly leases: Map<WorkspaceName, Lease>
}

export interface WorldContainer {
  readonly generation: Generation
  /** The workspace that the labels name. */
  readonly workspace: WorkspaceName
  /** The name on the engine. It changes when the container is renamed. */
  name: WorkspaceName
  readonly template: string
  /** The template against whose limits it counts: its own, or the renamed one that took it over. */
  countsFor: string
  readonly kind: WorkspaceKind
  readonly owner: Person | undefined
  /** The memory that the container was made with. */
  readonly memoryBytes: number
  readonly spec: string
  network: NetworkIndex
  /** Identifies the network: a network that is created later under the same number has another set. */
  joined: ReadonlySet<DirectorId> | undefined
  status: Container['status']
  startedAt: number | undefined
  finishedAt: number | undefined
  exitCode: number | undefined
  /** A call of a crashed spawner started the container, so the present spawner could not count it. */
  ghost: boolean
  /** The incarnation of the spawner that froze the container. Zero: an operator froze it by hand. */
  frozenIn?: number
}

/** What the engine really has, whatever the state of the policy says. */
export interface EngineFacts {
  readonly containers: ReadonlyMap<Generation, WorldContainer>
  readonly networks: ReadonlyMap<NetworkIndex, ReadonlySet<DirectorId>>
  readonly foreignNetworks: ReadonlySet<NetworkIndex>
  readonly homes: ReadonlyMap<UserName, string>
  /** The name under which a template is offered that may have been renamed. */
  offeredAs(name: string, workspace: WorkspaceName): string
}

/** The limits, or the use at the time when they were lowered below it. */
export interface Allowed {
  places(config: PolicyConfig): number
  memory(config: PolicyConfig): number
  ofTemplate(config: PolicyConfig, name: string): number
}

export interface WorldFacts {
  readonly now: number
  readonly state: State
  /** What the store has. */
  readonly recorded: Recorded
  readonly config: PolicyConfig
  readonly options: WorldOptions
  readonly engine: EngineFacts
  readonly directors: ReadonlyMap<DirectorId, WorldDirector>
  /** People whose requests are held. */
  readonly waiting: ReadonlyMap<WorkspaceName, unknown>
  /** The probability that an operation fails or is slow, from 0 to 1. */
  readonly trouble: number
  readonly allowance: Allowed
  /** The number of the present run of the spawner. */
  readonly incarnation: number
  readonly crashedAt: number
  readonly history: readonly string[]
  /** Containers that a person or an administrator ended, leases or not. */
  readonly ended: ReadonlySet<Generation>
  /** That a restart was ordered for in the present decision: it waits in the queue, whatever the house rules are. */
  readonly restarting: WorkspaceName | undefined
  /** The first person who was let into each private container. */
  readonly owners: Map<Generation, Person>
  /** Leases that have not expired at their director. */
  leases(): Iterable<Lease>
  chance(probability: number): boolean
  between(low: number, high: number): number
  later(ms: number, run: () => void): void
  hears(event: Event): void
}

/** Ends the run with an error that shows the latest events. */
export function broken(world: Pick<WorldFacts, 'history'>, what: string): never {
  throw new Error(`${what}\n${world.history.slice(-80).join('\n')}`)
}
