// Freezing and thawing a container. The state afterwards counts, not whether this call brought it about.
import type Docker from 'dockerode'
import type { Engine, EngineResult } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import { unlessDone } from '../client/calls.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { done, failed, resultOf } from '../client/engine-result.ts'
import { isFault } from '../client/fault.ts'
import { inspectContainer } from '../client/inspect.ts'

export function createFreezing(
  client: EngineClient,
): Pick<Engine, 'freezeContainer' | 'thawContainer'> {
  const { docker, call } = client

  async function checkState(
    generation: Generation,
    wanted: 'paused' | 'running',
    signal: AbortSignal,
  ): Promise<EngineResult<void>> {
    const info = await inspectContainer(client, generation, { signal })
    if (info?.State.Status === wanted) return done(undefined)
    const state = info === undefined ? 'gone' : info.State.Status
    return failed({ code: 'conflict', detail: `The container is ${state}, not ${wanted}.` }, true)
  }

  function change(
    generation: Generation,
    to: 'paused' | 'running',
    order: (container: Docker.Container, abortSignal: AbortSignal) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<EngineResult<void>> {
    const name = to === 'paused' ? 'container-pause' : 'container-unpause'
    const words = `The container could not be ${to === 'paused' ? 'frozen' : 'thawed'}`
    const work = async (): Promise<EngineResult<void>> => {
      try {
        const container = docker.getContainer(generation)
        await call(name, { signal }, (abortSignal) => order(container, abortSignal))
        return done(undefined)
      } catch (error) {
        // Versions of the engine differ in the code for "paused already", "not paused" and "not running".
        if (!isFault(error, 'unchanged', 'conflict', 'gone', 'broken')) throw error
        return checkState(generation, to, signal)
      }
    }
    return resultOf('conflict', words, work, { retryBroken: true })
  }

  return {
    freezeContainer: (generation, signal) =>
      change(
        generation,
        'paused',
        (container, abortSignal) => container.pause({ abortSignal }),
        signal,
      ),
    thawContainer: (generation, signal) =>
      change(
        generation,
        'running',
        (container, abortSignal) => container.unpause({ abortSignal }),
        signal,
      ),
  }
}

/** For a container that is about to be started or stopped: one that is not paused any more, or is gone, is a success. */
export async function unpause(
  { docker, call }: EngineClient,
  generation: Generation,
  signal: AbortSignal,
): Promise<void> {
  const answer = call('container-unpause', { signal }, (abortSignal) =>
    docker.getContainer(generation).unpause({ abortSignal }),
  )
  await unlessDone(answer, 'conflict', 'gone')
}
