// A lease and its holder. Times are milliseconds of the director's own monotonic clock.
import type { Address, SeatRequest } from '@berth/shared/contract'

/** The spawner's promise: until `expiresAt` this address stays good without asking again. */
export interface Lease {
  readonly workspace: string
  /** The container's id: connections and address belong to it and die with it. */
  readonly generation: string
  readonly address: Address
  /** When the seat was requested. The lease counts from then. */
  readonly askedAt: number
  readonly expiresAt: number
  /** Found by name while the spawner could not be reached: the lease is short and never renewed. */
  readonly byName: boolean
  /** When the workspace's lifetime ends (RFC 3339), if it has an end. */
  readonly endsAt?: string | undefined
}

/** One person's place in a workspace of one template, as the spawner is asked for it. */
export type SeatHolder = Pick<SeatRequest, 'user' | 'template' | 'workspace' | 'impersonation'>

/**
 * Equal for requests that one grant answers: the same template and workspace, exact name, subject and groups.
 * Another person with the same name, or the same person with other groups, needs a grant of their own, and so does an
 * administrator who acts as this person.
 */
export function seatKey(holder: SeatHolder): string {
  const { user, template, workspace = '', impersonation = '' } = holder
  const { name, subject, groups } = user
  return JSON.stringify([template, workspace, name, subject, [...groups].sort(), impersonation])
}
