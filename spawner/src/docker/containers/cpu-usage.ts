// A container's CPU usage over about a second, from two readings of the engine's statistics.
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import type { Engine, EngineResult } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { failed, resultOf } from '../client/engine-result.ts'

interface Reading {
  /** In milliseconds of the engine's clock. */
  readonly at: number
  /** CPU time that the container has used so far, in nanoseconds. */
  readonly used: number
}

const intervalMs = 1_000

/** The field is the same for cgroup v1 and v2, in nanoseconds. */
export function readingOf(stats: unknown): Reading | undefined {
  const { read, cpu_stats: cpu } = stats as Partial<Docker.ContainerStats>
  const at = Date.parse(read ?? '')
  const used = cpu?.cpu_usage.total_usage
  // The reading of a container that does not run has the year 1.
  return Number.isFinite(at) && at > 0 && typeof used === 'number' ? { at, used } : undefined
}

/** @returns per cent of one CPU; `undefined` if the readings are of the same moment or of two runs of the container */
export function percentBetween(first: Reading, second: Reading): number | undefined {
  const elapsed = (second.at - first.at) * 1e6
  const used = second.used - first.used
  return elapsed > 0 && used >= 0 ? (used / elapsed) * 100 : undefined
}

export function createMeasureCpu({ docker, call }: EngineClient): Engine['measureCpu'] {
  function read(generation: Generation, signal: AbortSignal): Promise<Reading | undefined> {
    const options = { stream: false, 'one-shot': true } as const
    return call('container-stats', { signal }, async () =>
      readingOf(await docker.getContainer(generation).stats(options)),
    )
  }

  return (generation, signal) => {
    const work = async (): Promise<number | EngineResult<number>> => {
      const first = await read(generation, signal)
      if (first !== undefined) await sleep(intervalMs, undefined, { signal })
      const second = first === undefined ? undefined : await read(generation, signal)
      const percent =
        first === undefined || second === undefined ? undefined : percentBetween(first, second)
      if (percent !== undefined) return percent
      return failed({ code: 'conflict', detail: 'The container does not run.' })
    }
    return resultOf<number>(
      'conflict',
      'The CPU usage of the container could not be measured',
      work,
    )
  }
}
