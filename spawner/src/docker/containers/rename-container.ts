// Renames a container. Its labels and its host name stay as they are.
import { setTimeout as sleep } from 'node:timers/promises'
import type { WorkspaceName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type { Engine, EngineResult } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { failed, resultOf } from '../client/engine-result.ts'
import { EngineFault, isFault } from '../client/fault.ts'
import { inspectContainer } from '../client/inspect.ts'
import { plainName } from '../observe/ownership.ts'

/** The engine keeps a name taken for a moment after it stops to show the container that had it. */
const maxTries = 40
const retryMs = 50

export function createRenameContainer(client: EngineClient): Engine['renameContainer'] {
  /** @returns whether the container has the name now */
  async function tryRename(
    generation: Generation,
    name: WorkspaceName,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await client.call('container-rename', { signal }, (abortSignal) =>
        client.docker.getContainer(generation).rename({ name, abortSignal }),
      )
      return true
    } catch (error) {
      // The engine also refuses to give a container the name that it has already.
      if (isFault(error, 'refused', 'conflict', 'broken')) return false
      throw error
    }
  }

  return (generation, name, signal) => {
    const work = async (): Promise<EngineResult<void> | void> => {
      for (let tries = 1; tries <= maxTries; tries += 1) {
        const info = await inspectContainer(client, generation, { signal })
        if (info === undefined)
          return failed({ code: 'start_failed', detail: 'The container is gone.' }, true)
        if (plainName(info.Name) === name) return
        if (await tryRename(generation, name, signal)) return
        const holder = await inspectContainer(client, name, { signal })
        if (holder !== undefined && holder.Id !== generation)
          throw new BerthError('name_taken', `Another container is named ${name}.`)
        await sleep(retryMs, undefined, { signal })
      }
      throw new EngineFault(
        'broken',
        'container-rename',
        `the engine does not free the name ${name}`,
      )
    }
    const words = 'The container could not be renamed'
    return resultOf<void>('start_failed', words, work, { retryBroken: true })
  }
}
