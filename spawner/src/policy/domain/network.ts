// The networks of workspaces, and the directors that are attached to them.
import type { WorkspaceName } from '@berth/shared/names'

/** The number of a /28 network in `NETWORK_POOL`. */
export type NetworkIndex = number

/** A director's container: its short id, which is its host name. */
export type DirectorId = string

export interface Network {
  readonly index: NetworkIndex
  readonly status: 'creating' | 'up' | 'removing'
  /** The workspace that uses it, if any. */
  readonly workspace?: WorkspaceName | undefined
  /** Where the network leads: `none` leads only to the directors. */
  readonly egress: 'internet' | 'none'
  readonly attached: readonly DirectorId[]
  /** Attachments under way. */
  readonly attaching: readonly { readonly director: DirectorId; readonly since: number }[]
  /** Attachments that failed, and when they are retried. */
  readonly failing: readonly { readonly director: DirectorId; readonly retryAt: number }[]
  /** Until then no other workspace gets its addresses, and it is not removed, so that an inventory after a crash still
   * finds it. */
  readonly restsUntil: number
  /** When the policy last changed it or ordered a step: an older inventory does not override that. Attempts that fail do
   * not count, or a network that vanished would never be missed while it is retried. */
  readonly changedAt: number
  /** Set: creating or removing the network failed, and is retried then. */
  readonly retryAt?: number | undefined
}

export interface Director {
  readonly id: DirectorId
  /** The stream of commands is open. */
  readonly connected: boolean
  /** `routes` was sent: the director was attached to every network at that time. */
  readonly introduced: boolean
  /** When the director last requested a seat. */
  readonly askedAt: number
}
