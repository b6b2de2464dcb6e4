// The guests of TCP: a client brings no cookie, so each address, or each connection, is a guest of its own.
import { createHmac } from 'node:crypto'
import type { Person, TcpRoute } from '@berth/shared/contract'
import { guestOf } from '@berth/shared/guests'
import { clientOf } from '@berth/shared/networks'
import type { Secret } from '@berth/shared/secret'
import { createOriginHash } from './guest-origin.ts'

export type GuestOfTcp = (address: string, by: NonNullable<TcpRoute['guestsBy']>) => Person

export function createGuestOfTcp(deps: {
  readonly internalSecret: Secret
  readonly randomBytes: (size: number) => Buffer
}): GuestOfTcp {
  const originOf = createOriginHash(deps.internalSecret)
  /** The same at each director, and after a restart. */
  const idOf = (address: string): Buffer =>
    createHmac('sha256', deps.internalSecret.reveal())
      .update(`guest of TCP\n${clientOf(address)}`)
      .digest()
      .subarray(0, 16)

  return (address, by) => {
    const id = by === 'address' ? idOf(address) : deps.randomBytes(16)
    return guestOf({ origin: originOf(address), id: id.toString('base64url') })
  }
}
