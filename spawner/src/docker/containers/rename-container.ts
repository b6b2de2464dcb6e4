// Giving a container another name: its own labels and its host name stay what they were.
import { setTimeout as sleep } from 'node:timers/promises'
import type { WorkspaceName } from '@berth/shared/names'
import { BerthError } from '@berth/shared/problems'
import type Docker from 'dockerode'
import type { EngineResult } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import { unlessGone, type Call } from '../client/calls.ts'
import { EngineFault, isFault } from '../client/fault.ts'
import { failed, outcomeOf } from '../client/engine-result.ts'
import { plainName } from '../observe/ownership.ts'

export type Rename = (
  generation: Generation,
  name: WorkspaceName,
  signal: AbortSignal,
) => Promise<EngineResult<void>>

/** A name is taken a moment longer than there is a container to look at. */
const mostTries = 40
const tryAgainMs = 50

export function createRename(deps: { docker: Docker; call: Call }): Rename {
  const { docker, call } = deps

  async function inspect(
    id: string,
    signal: AbortSignal,
  ): Promise<Docker.ContainerInspectInfo | undefined> {
    return unlessGone(
      call('container-inspect', { signal }, (abortSignal) =>
        docker.getContainer(id).inspect({ abortSignal }),
      ),
    )
  }

  /** @returns whether it bears the name now */
  async function rename(
    generation: Generation,
    name: WorkspaceName,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await call('container-rename', { signal }, (abortSignal) =>
        docker.getContainer(generation).rename({ name, abortSignal }),
      )
      return true
    } catch (error) {
      // A container that has the name already is refused, too.
      if (isFault(error, 'refused', 'conflict', 'broken')) return false
      throw error
    }
  }

  return (generation, name, signal) => {
    const work = async (): Promise<EngineResult<void> | void> => {
      for (let tries = 1; tries <= mostTries; tries += 1) {
        const info = await inspect(generation, signal)
        if (info === undefined)
          return failed({ code: 'start_failed', detail: 'The container is gone.' }, true)
        if (plainName(info.Name) === name) return
        if (await rename(generation, name, signal)) return
        const bearer = await inspect(name, signal)
        if (bearer !== undefined && bearer.Id !== generation)
          throw new BerthError('name_taken', `Another container is named ${name}.`)
        await sleep(tryAgainMs, undefined, { signal })
      }
      throw new EngineFault('broken', 'container-rename', 'the name is not freed')
    }
    const words = 'The container could not be renamed'
    return outcomeOf<void>('start_failed', words, work, { retryBroken: true })
  }
}
