// Stops a workspace's container: its signal, the time that it has, then a kill.
import type { Engine } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import { unlessDone } from '../client/calls.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { resultOf } from '../client/engine-result.ts'
import { inspectContainer } from '../client/inspect.ts'
import { unpause } from './freeze-container.ts'

export function createStopContainer(client: EngineClient): Engine['stopContainer'] {
  async function stop(
    generation: Generation,
    options: { readonly signal: string; readonly timeoutMs: number },
    signal: AbortSignal,
  ): Promise<{ exitCode?: number }> {
    const before = await inspectContainer(client, generation, { signal })
    if (before === undefined) return {}
    // The signal does not reach a paused container: the engine waits for the whole timeout and kills it.
    if (before.State.Paused) await unpause(client, generation, signal)
    const seconds = Math.ceil(options.timeoutMs / 1_000)
    const how = { t: seconds, ...(options.signal === '' ? {} : { signal: options.signal }) }
    const deadline = { signal, deadlineMs: seconds * 1_000 + 20_000 }
    const answer = client.call('container-stop', deadline, (abortSignal) =>
      client.docker.getContainer(generation).stop({ ...how, abortSignal }),
    )
    await unlessDone(answer, 'gone')
    const after = await inspectContainer(client, generation, { signal })
    return after === undefined ? {} : { exitCode: after.State.ExitCode }
  }

  return (generation, options, signal) =>
    resultOf(
      'conflict',
      'The container could not be stopped',
      () => stop(generation, options, signal),
      { retryBroken: true },
    )
}
