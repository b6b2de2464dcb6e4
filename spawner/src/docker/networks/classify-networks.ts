// Classifies the engine's networks: ours with their index, and the indexes whose subnets others overlap. Pure.
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

export interface ClassifiedNetworks {
  /** By name. */
  readonly own: ReadonlyMap<string, OwnNetwork>
  readonly foreignIndexes: readonly NetworkIndex[]
  /** Subnets of our networks that differ from those of the pool, by network name: they are from a former pool. */
  readonly outsidePool: ReadonlyMap<string, string>
}

/** By what the engine does with the network, not by its label. */
export function egressOf(network: Docker.NetworkInspectInfo): Egress {
  return network.Internal === true ? 'none' : 'internet'
}

export function subnetsOf(network: Docker.NetworkInspectInfo | undefined): readonly string[] {
  return (network?.IPAM?.Config ?? []).flatMap(({ Subnet }) =>
    Subnet === undefined ? [] : [Subnet],
  )
}

/** A network of ours from before a change of the pool counts as foreign: directors accept no address in it. */
export function classifyNetworks(
  instance: string,
  pool: SubnetPool,
  listed: readonly Docker.NetworkInspectInfo[],
): ClassifiedNetworks {
  const own = new Map<string, OwnNetwork>()
  const foreign: Subnet[] = []
  const outsidePool = new Map<string, string>()
  for (const network of listed) {
    const index = networkIndex(instance, network.Name)
    if (index !== undefined && matchesIndex(instance, pool, index, network))
      own.set(network.Name, { index, egress: egressOf(network) })
    else {
      const subnets = subnetsOf(network)
      foreign.push(...subnets.flatMap((text) => parseSubnet(text) ?? []))
      if (index !== undefined && isOurs(instance, network.Labels))
        outsidePool.set(network.Name, subnets.join(', '))
    }
  }
  return { own, foreignIndexes: overlappedIndexes(pool, foreign), outsidePool }
}

export function matchesIndex(
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

/** @returns the indexes in the pool whose subnets are overlapped by one of these, in order */
export function overlappedIndexes(pool: SubnetPool, subnets: readonly Subnet[]): NetworkIndex[] {
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
