// A network per workspace: its name, label and subnet are its number's. Nobody is left behind when one is removed.
import { labels } from '@berth/shared/labels'
import {
  formatIpv4,
  formatSubnet,
  subnetAt,
  type Subnet,
  type SubnetPool,
} from '@berth/shared/subnet-pool'
import type Docker from 'dockerode'
import type { EngineResult } from '../../loop/engine.ts'
import type { NetworkIndex } from '../../policy/domain.ts'
import { unlessDone, unlessGone, type Call } from '../client/calls.ts'
import { EngineFault, isFault } from '../client/fault.ts'
import { outcomeOf } from '../client/engine-result.ts'
import { isOurs, networkName } from '../observe/ownership.ts'
import { egressOf, isAsItShouldBe, type Egress } from './classify-networks.ts'

export type Creation = 'created' | 'taken' | 'failed'

export interface Networks {
  create(index: NetworkIndex, egress: Egress, signal: AbortSignal): Promise<Creation>
  remove(index: NetworkIndex, signal: AbortSignal): Promise<EngineResult<void>>
}

export function createNetworks(deps: {
  docker: Docker
  call: Call
  instance: string
  pool: SubnetPool
}): Networks {
  const { docker, call, instance, pool } = deps

  async function inspect(
    name: string,
    signal: AbortSignal,
  ): Promise<Docker.NetworkInspectInfo | undefined> {
    return unlessGone(call('network-inspect', { signal }, () => docker.getNetwork(name).inspect()))
  }

  /** Who is on it by their own account: the network's does not know stopped containers. */
  async function members(
    name: string,
    signal: AbortSignal,
  ): Promise<readonly Docker.ContainerInfo[]> {
    const filters = { network: [name] }
    return call('container-list', { signal }, (abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    )
  }

  async function detach(name: string, Container: string, signal: AbortSignal): Promise<void> {
    const options = { Container, Force: true }
    const answer = call('network-disconnect', { signal, deadlineMs: 30_000 }, (abortSignal) =>
      docker.getNetwork(name).disconnect({ ...options, abortSignal }),
    )
    // "Is not connected" comes with a code that differs between versions: who stays is seen afterwards.
    await unlessDone(answer, 'gone', 'refused', 'conflict', 'broken')
  }

  async function detachEveryone(
    network: Docker.NetworkInspectInfo,
    signal: AbortSignal,
  ): Promise<void> {
    const { Name } = network
    const before = (await members(Name, signal)).map(({ Id }) => Id)
    const stale = Object.keys(network.Containers ?? {})
    await Promise.all([...new Set([...before, ...stale])].map((id) => detach(Name, id, signal)))
    if (before.length === 0) return
    const left = await members(Name, signal)
    // Removing it now would keep these from ever starting again.
    if (left.length > 0)
      throw new EngineFault('broken', 'network-disconnect', `${left.length} are still on ${Name}`)
  }

  async function make(index: NetworkIndex, egress: Egress, signal: AbortSignal): Promise<void> {
    const options = networkOptions(instance, index, subnetAt(pool, index), egress)
    await call('network-create', { signal, deadlineMs: 30_000 }, (abortSignal) =>
      docker.createNetwork({ ...options, abortSignal }),
    )
  }

  async function create(
    index: NetworkIndex,
    egress: Egress,
    signal: AbortSignal,
  ): Promise<Creation> {
    try {
      await make(index, egress, signal)
      return 'created'
    } catch (error) {
      if (!isFault(error) || error.kind === 'unreachable') throw error
      const name = networkName(instance, index)
      const present = await inspect(name, signal)
      if (present === undefined || !isOurs(instance, present.Labels))
        return takenOrFailed(error.message)
      const fits = isAsItShouldBe(instance, pool, index, present) && egressOf(present) === egress
      if (fits) return 'created'
      // Ours from before the pool was changed, or one that leads elsewhere: it makes room once nobody's workspace
      // is on it any more.
      const workspaces = (await members(name, signal)).filter(isWorkspace)
      if (workspaces.length > 0) return 'failed'
      await removePresent(present, signal)
      await make(index, egress, signal)
      return 'created'
    }
  }

  async function removePresent(
    present: Docker.NetworkInspectInfo,
    signal: AbortSignal,
  ): Promise<void> {
    await detachEveryone(present, signal)
    const answer = call('network-remove', { signal, deadlineMs: 30_000 }, (abortSignal) =>
      docker.getNetwork(present.Id).remove({ abortSignal }),
    )
    await unlessDone(answer, 'gone')
  }

  return {
    async create(index, egress, signal) {
      try {
        return await create(index, egress, signal)
      } catch (error) {
        if (isFault(error)) return 'failed'
        throw error
      }
    },

    async remove(index, signal) {
      const work = async (): Promise<void> => {
        const present = await inspect(networkName(instance, index), signal)
        if (present !== undefined && isOurs(instance, present.Labels))
          await removePresent(present, signal)
      }
      const retry = { retryBroken: true }
      return outcomeOf('conflict', 'The network could not be removed', work, retry)
    },
  }
}

function isWorkspace(item: Docker.ContainerInfo): boolean {
  return item.Labels[labels.workspace] !== undefined
}

/** The engine says "overlaps" with a code that differs between its versions. */
function takenOrFailed(message: string): Creation {
  return /overlap|already exists|already in use/i.test(message) ? 'taken' : 'failed'
}

function networkOptions(
  instance: string,
  index: NetworkIndex,
  subnet: Subnet,
  egress: Egress,
): Docker.NetworkCreateOptions & { _query: object; _body: object } {
  const Name = networkName(instance, index)
  const body = {
    Name,
    Driver: 'bridge',
    // Engines before 25 would make a second network of the same name without this.
    CheckDuplicate: true,
    IPAM: {
      Driver: 'default',
      Config: [{ Subnet: formatSubnet(subnet), Gateway: formatIpv4(subnet.base + 1) }],
    },
    // The bridge of an internal network has no address of its own, so that the host cannot be reached by it.
    ...(egress === 'none'
      ? { Internal: true, Options: { 'com.docker.network.bridge.inhibit_ipv4': 'true' } }
      : {}),
    Labels: {
      [labels.instance]: instance,
      [labels.network]: String(index),
      [labels.egress]: egress,
    },
  }
  // dockerode would otherwise repeat the whole body in the query.
  return { Name, _query: {}, _body: body }
}
