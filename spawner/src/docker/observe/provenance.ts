// Whether a container's labels are its own. An image can lend labels to every container that is made from it.
import { unlessGone, type Call } from '../client/calls.ts'
import type Docker from 'dockerode'
import { isOurs, networkIndex, reservedLabel, type Labels } from './ownership.ts'

export interface Provenance {
  /**
   * @param imageId the content's id, which never changes its meaning
   * @param network what the container was created on
   */
  isOurs(
    carried: Labels,
    imageId: string,
    network: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean>
}

const longestMemory = 4096

export function createProvenance(deps: {
  docker: Docker
  call: Call
  instance: string
}): Provenance {
  const { docker, call, instance } = deps
  const lenders = new Map<string, boolean>()

  async function lends(imageId: string, signal: AbortSignal): Promise<boolean | undefined> {
    const known = lenders.get(imageId)
    if (known !== undefined) return known
    const info = await unlessGone(
      call('image-inspect', { signal }, () => docker.getImage(imageId).inspect()),
    )
    if (info === undefined) return undefined
    const config = info.Config as { Labels?: Labels | null } | null
    const answer = reservedLabel(config?.Labels) !== undefined
    if (lenders.size >= longestMemory) lenders.clear()
    lenders.set(imageId, answer)
    return answer
  }

  return {
    async isOurs(carried, imageId, network, signal) {
      if (!isOurs(instance, carried)) return false
      const lent = await lends(imageId, signal)
      // The image is gone: no image can have put the container on a network of ours.
      if (lent === undefined) return networkIndex(instance, network ?? '') !== undefined
      return !lent
    },
  }
}
