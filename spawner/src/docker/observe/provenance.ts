// Decides whether a container's labels are its own: an image passes its labels on to every container created from it.
import type { EngineClient } from '../client/engine-client.ts'
import { inspectImage } from '../client/inspect.ts'
import { isOurs, networkIndex, reservedLabel, type Labels } from './ownership.ts'

export interface Provenance {
  /**
   * @param imageId the id of the image's content, not a name that can move
   * @param network the network that the container was created on
   */
  isOurs(
    carried: Labels,
    imageId: string,
    network: string | undefined,
    signal: AbortSignal,
  ): Promise<boolean>
}

const maxRemembered = 4096

export function createProvenance(deps: EngineClient & { instance: string }): Provenance {
  const { instance } = deps
  const known = new Map<string, boolean>()

  /** @returns whether the image has a label reserved for Berth; `undefined` if the image is gone */
  async function hasReserved(imageId: string, signal: AbortSignal): Promise<boolean | undefined> {
    const before = known.get(imageId)
    if (before !== undefined) return before
    const info = await inspectImage(deps, imageId, { signal })
    if (info === undefined) return undefined
    const config = info.Config as { Labels?: Labels | null } | null
    const answer = reservedLabel(config?.Labels) !== undefined
    if (known.size >= maxRemembered) known.clear()
    known.set(imageId, answer)
    return answer
  }

  return {
    async isOurs(carried, imageId, network, signal) {
      if (!isOurs(instance, carried)) return false
      const inherited = await hasReserved(imageId, signal)
      // Without the image, the network decides: no image can put a container on a network of ours.
      if (inherited === undefined) return networkIndex(instance, network ?? '') !== undefined
      return !inherited
    },
  }
}
