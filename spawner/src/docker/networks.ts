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
import type { Outcome } from '../loop/engine.ts'
import type { NetworkIndex } from '../policy/domain.ts'
import { unlessDone, unlessGone, type Call } from './calls.ts'
import { EngineFault, isFault } from './fault.ts'
import { outcomeOf } from './outcome.ts'
import { isOurs, networkName } from './ownership.ts'

export interface Networks {
  create(index: NetworkIndex, signal: AbortSignal): Promise<'created' | 'taken' | 'failed'>
  remove(index: NetworkIndex, signal: AbortSignal): Promise<Outcome<void>>
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
  async function members(name: string, signal: AbortSignal): Promise<readonly string[]> {
    const filters = { network: [name] }
    const listed = await call('container-list', { signal }, (abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    )
    return listed.map(({ Id }) => Id)
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
    const before = await members(Name, signal)
    const stale = Object.keys(network.Containers ?? {})
    await Promise.all([...new Set([...before, ...stale])].map((id) => detach(Name, id, signal)))
    if (before.length === 0) return
    const left = await members(Name, signal)
    // Removing it now would keep these from ever starting again.
    if (left.length > 0)
      throw new EngineFault('broken', 'network-disconnect', `${left.length} are still on ${Name}`)
  }

  return {
    async create(index, signal) {
      const name = networkName(instance, index)
      const subnet = subnetAt(pool, index)
      try {
        await call('network-create', { signal, deadlineMs: 30_000 }, (abortSignal) =>
          docker.createNetwork({ ...networkOptions(instance, index, name, subnet), abortSignal }),
        )
        return 'created'
      } catch (error) {
        if (!isFault(error)) throw error
        if (error.kind === 'unreachable') return 'failed'
        return (await isThere(name, subnet, signal)) ? 'created' : takenOrFailed(error.message)
      }
    },

    async remove(index, signal) {
      const name = networkName(instance, index)
      const retry = { retryBroken: true }
      return outcomeOf(
        'conflict',
        'The network could not be removed',
        async () => {
          const present = await inspect(name, signal)
          if (present === undefined || !isOurs(instance, present.Labels)) return
          await detachEveryone(present, signal)
          await unlessDone(
            call('network-remove', { signal, deadlineMs: 30_000 }, (abortSignal) =>
              docker.getNetwork(present.Id).remove({ abortSignal }),
            ),
            'gone',
          )
        },
        retry,
      )
    },
  }

  async function isThere(name: string, subnet: Subnet, signal: AbortSignal): Promise<boolean> {
    try {
      const present = await inspect(name, signal)
      return isOurs(instance, present?.Labels) && subnetsOf(present).includes(formatSubnet(subnet))
    } catch (error) {
      if (isFault(error)) return false
      throw error
    }
  }
}

/** The engine says "overlaps" with a code that differs between its versions. */
function takenOrFailed(message: string): 'taken' | 'failed' {
  return /overlap|already exists|already in use/i.test(message) ? 'taken' : 'failed'
}

export function subnetsOf(network: Docker.NetworkInspectInfo | undefined): readonly string[] {
  return (network?.IPAM?.Config ?? []).flatMap(({ Subnet }) =>
    Subnet === undefined ? [] : [Subnet],
  )
}

function networkOptions(
  instance: string,
  index: NetworkIndex,
  name: string,
  subnet: Subnet,
): Docker.NetworkCreateOptions & { _query: object; _body: object } {
  const body = {
    Name: name,
    Driver: 'bridge',
    // Engines before 25 would make a second network of the same name without this.
    CheckDuplicate: true,
    IPAM: {
      Driver: 'default',
      Config: [{ Subnet: formatSubnet(subnet), Gateway: formatIpv4(subnet.base + 1) }],
    },
    Labels: { [labels.instance]: instance, [labels.network]: String(index) },
  }
  // dockerode would otherwise repeat the whole body in the query.
  return { Name: name, _query: {}, _body: body }
}
