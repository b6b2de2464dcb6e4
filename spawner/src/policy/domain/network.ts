// The networks of workspaces, and the directors that are attached to them.
import type { WorkspaceName } from '@berth/shared/names'

/** The number of a /28 network in `NETWORK_POOL`. */
export type NetworkIndex = number

/** A director's container: its short id, which is its host name. */
export type DirectorId = string

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
