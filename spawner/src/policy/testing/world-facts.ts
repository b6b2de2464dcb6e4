// For the model test: what the parts of the simulated world know of each other, and how they say that a promise is broken.
import type { Person } from '@berth/shared/contract'
import type { UserName, WorkspaceName } from '@berth/shared/names'
import type {
  Container,
  DirectorId,
  Event,
  Generation,
  NetworkIndex,
  PolicyConfig,
  State,
  WorkspaceKind,
} from '../domain.ts'

export interface WorldOptions {
  readonly seed: number
  readonly people: number
  readonly maxWorkspaces: number
  readonly maxStarting: number
  /** In units of which `lab` needs one and `hub` two at first. */
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
  /** Kept ready without an owner; zero: people have homes. */
  readonly standby: number
  /** How applications are asked whether they are busy, and for how long they may say so. */
  readonly veto: { readonly asks: boolean; readonly measures: boolean; readonly atMostMs: number }
}

export interface Lease {
  readonly workspace: WorkspaceName
  readonly generation: Generation
  readonly network: NetworkIndex | undefined
  readonly user: Person
  /** On the director's own reckoning: from before it asked. */
  readonly until: number
  readonly lastUseAt: number
}

export interface WorldDirector {
  readonly id: DirectorId
  connected: boolean
  introduced: boolean
  /** By who has them, under the name that their own workspace of `lab` would have. */
  readonly leases: Map<WorkspaceName, Lease>
}

export interface WorldContainer {
  readonly generation: Generation
  /** As its labels say. */
  readonly workspace: WorkspaceName
  /** On the engine: another once it was renamed. */
  name: WorkspaceName
  readonly template: string
  readonly kind: WorkspaceKind
  readonly owner: Person | undefined
  /** What it was made with. */
  readonly memoryBytes: number
  readonly spec: string
  network: NetworkIndex
  /** The very network: one that was made later under the same number is another. */
  joined: ReadonlySet<DirectorId> | undefined
  status: Container['status']
  startedAt: number | undefined
  finishedAt: number | undefined
  exitCode: number | undefined
  /** Started by a call of a spawner that is dead: nobody could count it. */
  ghost: boolean
  /** Which life of the spawner froze it; zero: somebody did by hand. */
  frozenIn?: number
}

/** What is really there, whatever the policy thinks. */
export interface EngineFacts {
  readonly containers: ReadonlyMap<Generation, WorldContainer>
  readonly networks: ReadonlyMap<NetworkIndex, ReadonlySet<DirectorId>>
  readonly foreignNetworks: ReadonlySet<NetworkIndex>
  readonly homes: ReadonlyMap<UserName, string>
}

/** Limits, or what held a place when they were made smaller than that. */
export interface Allowed {
  places(config: PolicyConfig): number
  memory(config: PolicyConfig): number
  ofTemplate(config: PolicyConfig, name: string): number
}

export interface WorldFacts {
  readonly now: number
  readonly state: State
  readonly config: PolicyConfig
  readonly options: WorldOptions
  readonly engine: EngineFacts
  readonly directors: ReadonlyMap<DirectorId, WorldDirector>
  /** People whose requests are held. */
  readonly waiting: ReadonlyMap<WorkspaceName, unknown>
  /** How much goes wrong, from 0 to 1. */
  readonly trouble: number
  readonly allowance: Allowed
  /** Counts the lives of the spawner. */
  readonly incarnation: number
  readonly crashedAt: number
  readonly history: readonly string[]
  /** Those for which somebody said that they end now, leases or not. */
  readonly ended: ReadonlySet<Generation>
  /** Leases that some director goes by at present. */
  /** Whose each container is, once somebody was let into it. */
  readonly owners: Map<Generation, Person>
  leases(): Iterable<Lease>
  chance(probability: number): boolean
  between(low: number, high: number): number
  later(ms: number, run: () => void): void
  hears(event: Event): void
}

/** Ends the run, and shows what led to it. */
export function broken(world: Pick<WorldFacts, 'history'>, what: string): never {
  throw new Error(`${what}\n${world.history.slice(-80).join('\n')}`)
}
