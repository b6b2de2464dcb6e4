// What a container uses, from readings of the engine's statistics: its memory, and its CPU time between two of them.
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import type { Engine, EngineResult, UsageReading } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { failed, resultOf } from '../client/engine-result.ts'

const intervalMs = 1_000

/** The field of the CPU time is the same for cgroup v1 and v2, in nanoseconds. */
export function readingOf(stats: unknown): UsageReading | undefined {
  const { read, cpu_stats: cpu, memory_stats: memory } = stats as Partial<Docker.ContainerStats>
  const at = Date.parse(read ?? '')
  const cpuNs = cpu?.cpu_usage.total_usage
  // The reading of a container that does not run has the year 1.
  if (!Number.isFinite(at) || at <= 0 || typeof cpuNs !== 'number') return undefined
  const caches: Readonly<Record<string, number | undefined>> = { ...memory?.stats }
  const cached = caches['inactive_file'] ?? caches['total_inactive_file'] ?? 0
  return { at, cpuNs, memoryBytes: Math.max(0, (memory?.usage ?? 0) - cached) }
}

/** @returns per cent of one CPU; `undefined` if the readings are of the same moment or of two runs of the container */
export function percentBetween(first: UsageReading, second: UsageReading): number | undefined {
  const elapsed = (second.at - first.at) * 1e6
  const used = second.cpuNs - first.cpuNs
  return elapsed > 0 && used >= 0 ? (used / elapsed) * 100 : undefined
}

export function createUsage({
  docker,
  call,
}: EngineClient): Pick<Engine, 'measureCpu' | 'readUsage'> {
  function read(generation: Generation, signal: AbortSignal): Promise<UsageReading | undefined> {
    const options = { stream: false, 'one-shot': true } as const
    return call('container-stats', { signal }, async () =>
      readingOf(await docker.getContainer(generation).stats(options)),
    )
  }

  const stands = () => failed({ code: 'conflict', detail: 'The container does not run.' })

  const readUsage: Engine['readUsage'] = (generation, signal) =>
    resultOf<UsageReading>(
      'conflict',
      'The usage of the container could not be read',
      async () => (await read(generation, signal)) ?? stands(),
    )

  const measureCpu: Engine['measureCpu'] = (generation, signal) => {
    const work = async (): Promise<number | EngineResult<number>> => {
      const first = await read(generation, signal)
      if (first !== undefined) await sleep(intervalMs, undefined, { signal })
      const second = first === undefined ? undefined : await read(generation, signal)
      const percent =
        first === undefined || second === undefined ? undefined : percentBetween(first, second)
      if (percent !== undefined) return percent
      return stands()
    }
    return resultOf<number>(
      'conflict',
      'The CPU usage of the container could not be measured',
      work,
    )
  }

  return { measureCpu, readUsage }
}
