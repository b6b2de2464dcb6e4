// Freezing and thawing a container. Whether it is so by now counts, not whether this call made it so.
import type Docker from 'dockerode'
import type { EngineResult } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import { unlessGone, type Call } from '../client/calls.ts'
import { isFault } from '../client/fault.ts'
import { done, failed, outcomeOf } from '../client/engine-result.ts'

export interface Freezing {
  freeze(generation: Generation, signal: AbortSignal): Promise<EngineResult<void>>
  thaw(generation: Generation, signal: AbortSignal): Promise<EngineResult<void>>
}

export function createFreezing(deps: { docker: Docker; call: Call }): Freezing {
  const { docker, call } = deps

  async function isAs(
    generation: Generation,
    wanted: 'paused' | 'running',
    signal: AbortSignal,
  ): Promise<EngineResult<void>> {
    const info = await unlessGone(
      call('container-inspect', { signal }, (abortSignal) =>
        docker.getContainer(generation).inspect({ abortSignal }),
      ),
    )
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
        // Paused already, not paused, not running: told by one code, and by another in older engines.
        if (!isFault(error, 'unchanged', 'conflict', 'gone', 'broken')) throw error
        return isAs(generation, to, signal)
      }
    }
    return outcomeOf('conflict', words, work, { retryBroken: true })
  }

  return {
    freeze: (generation, signal) =>
      change(
        generation,
        'paused',
        (container, abortSignal) => container.pause({ abortSignal }),
        signal,
      ),
    thaw: (generation, signal) =>
      change(
        generation,
        'running',
        (container, abortSignal) => container.unpause({ abortSignal }),
        signal,
      ),
  }
}
