// A network per workspace: its index determines name, label and subnet. Removal disconnects every container first.
import { labels } from '@berth/shared/labels'
import {
  formatIpv4,
  formatSubnet,
  subnetAt,
  type Subnet,
  type SubnetPool,
} from '@berth/shared/subnet-pool'
import type Docker from 'dockerode'
import type { Engine } from '../../loop/engine.ts'
import type { NetworkIndex } from '../../policy/domain.ts'
import { unlessDone } from '../client/calls.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { resultOf } from '../client/engine-result.ts'
import { EngineFault, isFault } from '../client/fault.ts'
import { inspectNetwork } from '../client/inspect.ts'
import { isOurs, networkName } from '../observe/ownership.ts'
import { egressOf, matchesIndex, type Egress } from './classify-networks.ts'
import { disconnectFromNetwork } from './connect.ts'

type Creation = Awaited<ReturnType<Engine['createNetwork']>>

export function createNetworks(
  deps: EngineClient & { instance: string; pool: SubnetPool },
): Pick<Engine, 'createNetwork' | 'removeNetwork'> {
  const { docker, call, instance, pool } = deps

  /** By the list of containers: the network's own list lacks the stopped ones. */
  async function members(
    name: string,
    signal: AbortSignal,
  ): Promise<readonly Docker.ContainerInfo[]> {
    const filters = { network: [name] }
    return call('container-list', { signal }, (abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    )
  }

  async function disconnectAll(
    network: Docker.NetworkInspectInfo,
    signal: AbortSignal,
  ): Promise<void> {
    const { Name } = network
    const before = (await members(Name, signal)).map(({ Id }) => Id)
    const stale = Object.keys(network.Containers ?? {})
    const disconnect = (id: string): Promise<void> =>
      disconnectFromNetwork(deps, Name, id, signal, 'broken')
    await Promise.all([...new Set([...before, ...stale])].map(disconnect))
    if (before.length === 0) return
    const left = (await members(Name, signal)).length
    // A stopped container whose network is removed can never start again.
    if (left > 0)
      throw new EngineFault(
        'broken',
        'network-disconnect',
        `${left} containers are still connected to ${Name}`,
      )
  }

  async function createNew(
    index: NetworkIndex,
    egress: Egress,
    signal: AbortSignal,
  ): Promise<void> {
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
      await createNew(index, egress, signal)
      return 'created'
    } catch (error) {
      if (!isFault(error) || error.kind === 'unreachable') throw error
      const name = networkName(instance, index)
      const present = await inspectNetwork(deps, name, { signal })
      if (present === undefined || !isOurs(instance, present.Labels))
        return takenOrFailed(error.message)
      const fits = matchesIndex(instance, pool, index, present) && egressOf(present) === egress
      if (fits) return 'created'
      // The network is ours and has another subnet or egress, from before a change of the settings. It is replaced as
      // soon as no workspace is on it.
      const workspaces = (await members(name, signal)).filter(isWorkspace)
      if (workspaces.length > 0) return 'failed'
      await removePresent(present, signal)
      await createNew(index, egress, signal)
      return 'created'
    }
  }

  async function removePresent(
    present: Docker.NetworkInspectInfo,
    signal: AbortSignal,
  ): Promise<void> {
    await disconnectAll(present, signal)
    const answer = call('network-remove', { signal, deadlineMs: 30_000 }, (abortSignal) =>
      docker.getNetwork(present.Id).remove({ abortSignal }),
    )
    await unlessDone(answer, 'gone')
  }

  return {
    async createNetwork(index, signal, egress = 'internet') {
      try {
        return await create(index, egress, signal)
      } catch (error) {
        if (isFault(error)) return 'failed'
        throw error
      }
    },

    async removeNetwork(index, signal) {
      const work = async (): Promise<void> => {
        const present = await inspectNetwork(deps, networkName(instance, index), { signal })
        if (present !== undefined && isOurs(instance, present.Labels))
          await removePresent(present, signal)
      }
      const retry = { retryBroken: true }
      return resultOf('conflict', 'The network could not be removed', work, retry)
    },
  }
}

function isWorkspace(item: Docker.ContainerInfo): boolean {
  return item.Labels[labels.workspace] !== undefined
}

/** Versions of the engine differ in the code for an overlap. */
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
    // Without this, engines before 25 create a second network of the same name.
    CheckDuplicate: true,
    IPAM: {
      Driver: 'default',
      Config: [{ Subnet: formatSubnet(subnet), Gateway: formatIpv4(subnet.base + 1) }],
    },
    // Without an address of the bridge, the host cannot be reached through an internal network.
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
