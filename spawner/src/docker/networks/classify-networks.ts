// The engine's networks sorted: ours as they should be, and the numbers that anything else lies across. Pure.
import { labels } from '@berth/shared/labels'
import {
  formatSubnet,
  parseSubnet,
  subnetAt,
  subnetBits,
  subnetCount,
  subnetsOverlap,
  type Subnet,
  type SubnetPool,
} from '@berth/shared/subnet-pool'
import type Docker from 'dockerode'
import type { NetworkIndex } from '../../policy/domain.ts'
import { isOurs, networkIndex } from '../observe/ownership.ts'

export type Egress = 'internet' | 'none'

export interface OwnNetwork {
  readonly index: NetworkIndex
  readonly egress: Egress
}

export interface SortedNetworks {
  /** By their names. */
  readonly own: ReadonlyMap<string, OwnNetwork>
  readonly foreignIndexes: readonly NetworkIndex[]
  /** Subnets of ours that are not where the pool has them, by their networks' names: they were made for another pool. */
  readonly outsidePool: ReadonlyMap<string, string>
}

/** What the engine does with it, whatever a label says. */
export function egressOf(network: Docker.NetworkInspectInfo): Egress {
  return network.Internal === true ? 'none' : 'internet'
}

export function subnetsOf(network: Docker.NetworkInspectInfo | undefined): readonly string[] {
  return (network?.IPAM?.Config ?? []).flatMap(({ Subnet }) =>
    Subnet === undefined ? [] : [Subnet],
  )
}

/** One of ours from before the pool was changed is nobody's: who is on it could not be reached. */
export function sortNetworks(
  instance: string,
  pool: SubnetPool,
  listed: readonly Docker.NetworkInspectInfo[],
): SortedNetworks {
  const own = new Map<string, OwnNetwork>()
  const foreign: Subnet[] = []
  const outsidePool = new Map<string, string>()
  for (const network of listed) {
    const index = networkIndex(instance, network.Name)
    if (index !== undefined && isAsItShouldBe(instance, pool, index, network))
      own.set(network.Name, { index, egress: egressOf(network) })
    else {
      const subnets = subnetsOf(network)
      foreign.push(...subnets.flatMap((text) => parseSubnet(text) ?? []))
      if (index !== undefined && isOurs(instance, network.Labels))
        outsidePool.set(network.Name, subnets.join(', '))
    }
  }
  return { own, foreignIndexes: overlapped(pool, foreign), outsidePool }
}

export function isAsItShouldBe(
  instance: string,
  pool: SubnetPool,
  index: NetworkIndex,
  network: Docker.NetworkInspectInfo,
): boolean {
  return (
    index < subnetCount(pool) &&
    isOurs(instance, network.Labels) &&
    network.Labels?.[labels.network] === String(index) &&
    subnetsOf(network).includes(formatSubnet(subnetAt(pool, index)))
  )
}

/** @returns the numbers in the pool that one of the subnets overlaps, in order */
export function overlapped(pool: SubnetPool, subnets: readonly Subnet[]): NetworkIndex[] {
  const own: Subnet = { base: pool.base, bits: pool.bits }
  const size = 2 ** (32 - subnetBits)
  const found = new Set<NetworkIndex>()
  for (const subnet of subnets) {
    if (!subnetsOverlap(own, subnet)) continue
    const first = Math.max(0, Math.floor((subnet.base - pool.base) / size))
    const last = (subnet.base + 2 ** (32 - subnet.bits) - 1 - pool.base) / size
    for (let at = first; at <= last && at < subnetCount(pool); at += 1) found.add(at)
  }
  return [...found].sort((a, b) => a - b)
}
