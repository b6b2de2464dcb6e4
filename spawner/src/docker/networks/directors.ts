// Connects directors to the networks of workspaces: only running containers of this instance whose own labels say that
// they are directors.
import { labels } from '@berth/shared/labels'
import type Docker from 'dockerode'
import type { Engine } from '../../loop/engine.ts'
import type { DirectorId } from '../../policy/domain.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault } from '../client/fault.ts'
import { inspectContainer } from '../client/inspect.ts'
import { networkName, type Labels } from '../observe/ownership.ts'
import type { Provenance } from '../observe/provenance.ts'
import { connectToNetwork } from './connect.ts'

const directorRole = 'director'

export function isDirector(carried: Labels): boolean {
  return carried[labels.role] === directorRole
}

export function createAttachDirector(
  deps: EngineClient & { instance: string; provenance: Provenance },
): Engine['attachDirector'] {
  const { instance, provenance } = deps

  async function attach(
    network: string,
    director: DirectorId,
    signal: AbortSignal,
  ): Promise<'attached' | 'gone'> {
    const info = await inspectContainer(deps, director, { signal })
    if (info === undefined || !info.State.Running || !isDirector(info.Config.Labels)) return 'gone'
    const { Labels: carried } = info.Config
    if (!(await provenance.isOurs(carried, info.Image, info.HostConfig.NetworkMode, signal)))
      return 'gone'
    if (info.NetworkSettings.Networks[network] !== undefined) return 'attached'
    // Keeps the default route on the front network; engines before 28 ignore it and go by the order of the names.
    const endpoint: Docker.EndpointSettings & { GwPriority: number } = { GwPriority: -100 }
    await connectToNetwork(deps, network, info.Id, signal, endpoint)
    return 'attached'
  }

  return async (index, director, signal) => {
    // The id comes from the director itself and becomes part of a path of the engine's API.
    if (!/^[0-9a-f]{12,64}$/.test(director)) return 'gone'
    try {
      return await attach(networkName(instance, index), director, signal)
    } catch (error) {
      if (isFault(error)) return 'failed'
      throw error
    }
  }
}
