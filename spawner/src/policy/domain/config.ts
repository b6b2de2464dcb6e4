// What the policy is given: limits, times and templates.
import type { Person } from '@berth/shared/contract'
import type { Template } from '../../templates/template.ts'

/** Zero is off. */
export interface Limits {
  readonly maxWorkspaces: number
  readonly maxWorkspacesPerUser: number
  /** How many guests may have a workspace, and how many that became guests at one address. */
  readonly maxGuests: number
  readonly guestsPerAddress: number
  readonly maxStarting: number
  readonly maxQueue: number
  /** The sum of what the containers of all that hold a place were made with. */
  readonly maxMemoryBytes: number
  /** Frozen workspaces are evicted, least recently used first, when a person waits for a place. */
  readonly evictsFrozen: boolean
  /** How long a person's volumes are kept after their last use; zero: for ever. */
  readonly keepHomesMs: number
  /** Says which volumes would go instead of removing them. */
  readonly keepHomesDryRun: boolean
}

/** What administrators have ordered for everybody. */
export interface HouseRules {
  /** Templates that nobody may start anew, with the reason that people are told. */
  readonly closed: ReadonlyMap<string, string>
  /** Set: nobody new is admitted anywhere, for this reason. What runs goes on. */
  readonly maintenance?: string | undefined
}

export interface PolicyConfig {
  /** Absent: none. */
  readonly house?: HouseRules
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
  /** The same, part by part, to tell what has changed (the engine's `partsOf`). Pure. */
  readonly partsOf: (template: Template, owner: Person | undefined) => string
}

export interface LeaseTimes {
  /** At most a quarter of the shortest idle step. */
  readonly leaseMs: number
  /** Added on the spawner's side; more than the interval of the directors' reports (`leaseMs / 4`). */
  readonly marginMs: number
}
