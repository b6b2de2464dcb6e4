// Which person a connection is from: by the certificate that the edge has verified, or by the network it comes from; or a
// guest. Pure.
import type { TcpRoute } from '@berth/shared/contract'
import { parseUserName, type UserName } from '@berth/shared/names'
import { parseNetwork } from '@berth/shared/networks'
import type { ProxiedClient } from './proxy-header.ts'

/** @returns `undefined` for a client that the template knows nothing of */
export type WhoConnects = (client: ProxiedClient) => UserName | typeof guest | undefined

export const guest = Symbol('guest')

export function createWhoConnects({ sources, certificates, guestsBy }: TcpRoute): WhoConnects {
  const people = sources.map(({ user, networks }) => ({
    user,
    networks: networks.map(parseNetwork).filter((network) => network !== undefined),
  }))
  return ({ address, certificateName }) => {
    // A name is the stronger proof: people behind one address have names of their own.
    if (certificates && certificateName !== undefined) return parseUserName(certificateName)
    const known = people.find(({ networks }) => networks.some((each) => each.contains(address)))
    return known?.user ?? (guestsBy === undefined ? undefined : guest)
  }
}
