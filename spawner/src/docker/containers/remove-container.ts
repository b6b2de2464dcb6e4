// Removes a container, running or not, and the anonymous volumes that its image asked for. Named volumes stay.
import type { Engine } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import { unlessDone } from '../client/calls.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { resultOf } from '../client/engine-result.ts'
import { isFault } from '../client/fault.ts'

export function createRemoveContainer({ docker, call }: EngineClient): Engine['removeContainer'] {
  async function remove(generation: Generation, signal: AbortSignal): Promise<void> {
    const container = docker.getContainer(generation)
    const options = { signal, deadlineMs: 60_000 }
    try {
      const removal = call('container-remove', options, (abortSignal) =>
        container.remove({ force: true, v: true, abortSignal }),
      )
      await unlessDone(removal, 'gone')
    } catch (error) {
      if (!isFault(error, 'conflict')) throw error
      // Another call is removing the container already.
      const condition = 'removed' as const
      const wait = call('container-wait', options, (abortSignal) =>
        container.wait({ condition, abortSignal }),
      )
      await unlessDone(wait, 'gone')
    }
  }

  return (generation, signal) =>
    resultOf<void>(
      'conflict',
      'The container could not be removed',
      () => remove(generation, signal),
      { retryBroken: true },
    )
}
