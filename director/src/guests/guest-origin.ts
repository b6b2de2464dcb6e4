// Where a client comes from, as guests are counted: a hash of its address, so that no address is kept.
import { createHmac } from 'node:crypto'
import { clientOf, plainAddress, type Network } from '@berth/shared/networks'
import type { Secret } from '@berth/shared/secret'
import { valuesOf } from '../headers/raw-headers.ts'

export interface Client {
  readonly rawHeaders: readonly string[]
  readonly remoteAddress: string | undefined
}

export type GuestOriginOf = (client: Client) => string

export function isFromProxy(proxies: readonly Network[], remoteAddress: string | undefined) {
  return remoteAddress !== undefined && proxies.some((network) => network.contains(remoteAddress))
}

/** Of an address. */
export function createOriginHash(internalSecret: Secret): (address: string) => string {
  return (address) =>
    createHmac('sha256', internalSecret.reveal())
      .update(`address of a guest\n${clientOf(address)}`)
      .digest('base64url')
      .slice(0, 16)
}

export function createGuestOriginOf(deps: {
  readonly proxies: readonly Network[]
  readonly internalSecret: Secret
}): GuestOriginOf {
  const hash = createOriginHash(deps.internalSecret)
  return (client) => hash(addressOf(client, deps.proxies))
}

/** The proxy adds the last address of the list, which is its own client's. All others may be the client's words. */
export function addressOf(
  { rawHeaders, remoteAddress = '' }: Client,
  proxies: readonly Network[],
): string {
  if (!isFromProxy(proxies, remoteAddress)) return plainAddress(remoteAddress)
  const told = valuesOf(rawHeaders, 'x-forwarded-for')
    .flatMap((value) => value.split(','))
    .map((address) => address.trim())
    .filter((address) => address !== '')
  return plainAddress(told.at(-1) ?? remoteAddress)
}
