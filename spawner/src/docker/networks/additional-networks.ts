// Networks that a template names besides the workspace's own. They are somebody else's: joined, never changed.
import { labels } from '@berth/shared/labels'
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import { unlessDone, unlessGone, type Call } from '../client/calls.ts'
import { isFault } from '../client/fault.ts'
import { networkIndex, type Labels } from '../observe/ownership.ts'

export interface FurtherNetworks {
  /** @throws BerthError `start_failed`, naming the network */
  join(container: string, networks: readonly string[], signal: AbortSignal): Promise<void>
  /** Joins those again that were removed and made anew: the name is the same, the network is another. */
  rejoin(info: Docker.ContainerInspectInfo, signal: AbortSignal): Promise<void>
}

export function createFurtherNetworks(deps: {
  docker: Docker
  call: Call
  instance: string
}): FurtherNetworks {
  const { docker, call, instance } = deps

  async function isOn(container: string, network: string, signal: AbortSignal): Promise<boolean> {
    const info = await call('container-inspect', { signal }, (abortSignal) =>
      docker.getContainer(container).inspect({ abortSignal }),
    )
    return info.NetworkSettings.Networks[network] !== undefined
  }

  async function joinOne(container: string, network: string, signal: AbortSignal): Promise<void> {
    if (networkIndex(instance, network) !== undefined)
      throw refusal(network, 'it is the network of one workspace')
    // The engine takes any name for a container that does not run yet.
    const present = await unlessGone(
      call('network-inspect', { signal }, () => docker.getNetwork(network).inspect()),
    )
    if (present === undefined) throw refusal(network, 'the engine has none of that name')
    // Whoever knows an id could else go where the name does not lead.
    if (carriesInstance(present)) throw refusal(network, 'it is one of Berth’s own')
    try {
      await call('network-connect', { signal, deadlineMs: 30_000 }, (abortSignal) =>
        docker.getNetwork(network).connect({ Container: container, ...{ abortSignal } }),
      )
    } catch (error) {
      if (!isFault(error) || error.kind === 'unreachable') throw error
      if (error.kind !== 'gone' && (await isOn(container, network, signal))) return
      throw refusal(network, error.message)
    }
  }

  async function leave(container: string, network: string, signal: AbortSignal): Promise<void> {
    const options = { Container: container, Force: true }
    const answer = call('network-disconnect', { signal, deadlineMs: 30_000 }, (abortSignal) =>
      docker.getNetwork(network).disconnect({ ...options, ...{ abortSignal } }),
    )
    await unlessDone(answer, 'gone', 'refused', 'conflict')
  }

  return {
    async join(container, networks, signal) {
      for (const network of networks) await joinOne(container, network, signal)
    },

    async rejoin(info, signal) {
      const further = Object.keys(info.NetworkSettings.Networks).filter(
        (name) => networkIndex(instance, name) === undefined,
      )
      for (const network of further) {
        await leave(info.Id, network, signal)
        await joinOne(info.Id, network, signal)
      }
    },
  }
}

/** Of this instance or of another. */
function carriesInstance(network: Docker.NetworkInspectInfo): boolean {
  // A network without labels has `null` here.
  const carried: Labels | null | undefined = network.Labels
  return carried?.[labels.instance] !== undefined
}

function refusal(network: string, why: string): BerthError {
  return new BerthError('start_failed', `The network ${network} could not be joined: ${why}`)
}
