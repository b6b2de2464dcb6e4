// Which person a connection is from: by the certificate that the edge has verified, or by the network it comes from. Pure.
import type { TcpRoute } from '@berth/shared/contract'
import { parseUserName, type UserName } from '@berth/shared/names'
import { parseNetwork } from '@berth/shared/networks'
import type { ProxiedClient } from './proxy-header.ts'

/** @returns `undefined` for a client that the template knows nothing of */
export type WhoConnects = (client: ProxiedClient) => UserName | undefined

export function createWhoConnects({ sources, certificates }: TcpRoute): WhoConnects {
  const people = sources.map(({ user, networks }) => ({
    user,
    networks: networks.map(parseNetwork).filter((network) => network !== undefined),
  }))
  return ({ address, certificateName }) => {
    // A name is the stronger proof: people behind one address have names of their own.
    if (certificates && certificateName !== undefined) return parseUserName(certificateName)
    return people.find(({ networks }) => networks.some((network) => network.contains(address)))
      ?.user
  }
}
