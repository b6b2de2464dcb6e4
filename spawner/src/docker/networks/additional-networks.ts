// Networks that a template names in addition to the workspace's own. Berth joins them and never changes them.
import { labels } from '@berth/shared/labels'
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault } from '../client/fault.ts'
import { inspectNetwork } from '../client/inspect.ts'
import { networkIndex, type Labels } from '../observe/ownership.ts'
import { connectToNetwork, disconnectFromNetwork } from './connect.ts'

export interface AdditionalNetworks {
  /** @throws BerthError `start_failed`, naming the network */
  join(container: string, networks: readonly string[], signal: AbortSignal): Promise<void>
  /** Joins networks again that were removed and created again: they have the same name and another id. */
  rejoin(info: Docker.ContainerInspectInfo, signal: AbortSignal): Promise<void>
}

export function createAdditionalNetworks(
  deps: EngineClient & { instance: string },
): AdditionalNetworks {
  const { instance } = deps

  async function joinOne(container: string, network: string, signal: AbortSignal): Promise<void> {
    if (networkIndex(instance, network) !== undefined)
      throw refusal(network, 'it is the network of one workspace')
    // For a container that does not run yet, the engine accepts a name that it does not have.
    const present = await inspectNetwork(deps, network, { signal })
    if (present === undefined) throw refusal(network, 'the engine has no network of that name')
    // The check of the name above does not cover a network that is named by its id.
    if (belongsToBerth(present)) throw refusal(network, 'it is one of Berth’s own')
    try {
      await connectToNetwork(deps, network, container, signal)
    } catch (error) {
      if (!isFault(error) || error.kind === 'unreachable') throw error
      throw refusal(network, 'the engine refused it', error)
    }
  }

  return {
    async join(container, networks, signal) {
      for (const network of networks) await joinOne(container, network, signal)
    },

    async rejoin(info, signal) {
      const additional = Object.keys(info.NetworkSettings.Networks).filter(
        (name) => networkIndex(instance, name) === undefined,
      )
      for (const network of additional) {
        await disconnectFromNetwork(deps, network, info.Id, signal)
        await joinOne(info.Id, network, signal)
      }
    },
  }
}

/** The network belongs to this instance of Berth or to another. */
function belongsToBerth(network: Docker.NetworkInspectInfo): boolean {
  // A network without labels has `null` here.
  const carried: Labels | null | undefined = network.Labels
  return carried?.[labels.instance] !== undefined
}

function refusal(network: string, why: string, cause?: Error): BerthError {
  const detail = `The network ${network} could not be joined: ${why}.`
  return new BerthError('start_failed', detail, { cause })
}
