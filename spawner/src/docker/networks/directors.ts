// Directors on workspaces' networks: only a running container of this instance that is one by its own labels.
import { labels } from '@berth/shared/labels'
import type Docker from 'dockerode'
import type { DirectorId, NetworkIndex } from '../../policy/domain.ts'
import { unlessGone, type Call } from '../client/calls.ts'
import { isFault } from '../client/fault.ts'
import { networkName, type Labels } from '../observe/ownership.ts'
import type { Provenance } from '../observe/provenance.ts'

export type Attachment = 'attached' | 'gone' | 'failed'

export interface Directors {
  attach(index: NetworkIndex, director: DirectorId, signal: AbortSignal): Promise<Attachment>
}

const directorRole = 'director'

export function isDirector(carried: Labels): boolean {
  return carried[labels.role] === directorRole
}

export function createDirectors(deps: {
  docker: Docker
  call: Call
  instance: string
  provenance: Provenance
}): Directors {
  const { docker, call, instance, provenance } = deps

  async function attach(network: string, director: DirectorId, signal: AbortSignal) {
    const container = docker.getContainer(director)
    const info = await unlessGone(
      call('container-inspect', { signal }, (abortSignal) => container.inspect({ abortSignal })),
    )
    if (info === undefined || !info.State.Running || !isDirector(info.Config.Labels)) return 'gone'
    const { Labels: carried } = info.Config
    if (!(await provenance.isOurs(carried, info.Image, info.HostConfig.NetworkMode, signal)))
      return 'gone'
    if (info.NetworkSettings.Networks[network] !== undefined) return 'attached'
    // Engines that know it (28 and later) keep the default route with the front network by this, too.
    const EndpointConfig: Docker.EndpointSettings & { GwPriority: number } = { GwPriority: -100 }
    const options = { Container: info.Id, EndpointConfig }
    try {
      await call('network-connect', { signal, deadlineMs: 30_000 }, (abortSignal) =>
        docker.getNetwork(network).connect({ ...options, ...{ abortSignal } }),
      )
      return 'attached'
    } catch (error) {
      const already = isFault(error) && /already exists|already attached/i.test(error.message)
      if (already) return 'attached'
      throw error
    }
  }

  return {
    async attach(index, director, signal) {
      // What a director calls itself becomes part of a path of the engine's API.
      if (!/^[0-9a-f]{12,64}$/.test(director)) return 'gone'
      try {
        return await attach(networkName(instance, index), director, signal)
      } catch (error) {
        if (isFault(error)) return 'failed'
        throw error
      }
    },
  }
}
