// How busy a container's processes keep the processors, from two readings of the engine's statistics.
import { setTimeout as sleep } from 'node:timers/promises'
import type Docker from 'dockerode'
import type { EngineResult } from '../../loop/engine.ts'
import type { Generation } from '../../policy/domain.ts'
import type { Call } from '../client/calls.ts'
import { failed, outcomeOf } from '../client/engine-result.ts'

export type MeasureCpu = (
  generation: Generation,
  signal: AbortSignal,
) => Promise<EngineResult<number>>

/** When it was read (milliseconds of the engine's clock), and all processor time until then (nanoseconds). */
interface Reading {
  readonly at: number
  readonly used: number
}

const betweenMs = 1_000

/** The engine keeps both kinds of cgroup's readings under this name, in nanoseconds. */
export function readingOf(stats: unknown): Reading | undefined {
  const { read, cpu_stats: cpu } = stats as Partial<Docker.ContainerStats>
  const at = Date.parse(read ?? '')
  const used = cpu?.cpu_usage.total_usage
  // One that does not run was read in the year 1.
  return Number.isFinite(at) && at > 0 && typeof used === 'number' ? { at, used } : undefined
}

/** @returns per cent of one processor; `undefined` where the readings do not tell */
export function percentBetween(first: Reading, second: Reading): number | undefined {
  const elapsed = (second.at - first.at) * 1e6
  const used = second.used - first.used
  return elapsed > 0 && used >= 0 ? (used / elapsed) * 100 : undefined
}

export function createMeasureCpu(deps: { docker: Docker; call: Call }): MeasureCpu {
  const { docker, call } = deps

  function read(generation: Generation, signal: AbortSignal): Promise<Reading | undefined> {
    const options = { stream: false, 'one-shot': true } as const
    return call('container-stats', { signal }, async () =>
      readingOf(await docker.getContainer(generation).stats(options)),
    )
  }

  return (generation, signal) => {
    const work = async (): Promise<number | EngineResult<number>> => {
      const first = await read(generation, signal)
      if (first !== undefined) await sleep(betweenMs, undefined, { signal })
      const second = first === undefined ? undefined : await read(generation, signal)
      const percent =
        first === undefined || second === undefined ? undefined : percentBetween(first, second)
      if (percent !== undefined) return percent
      return failed({ code: 'conflict', detail: 'The container does not run.' })
    }
    return outcomeOf<number>('conflict', 'Its use of processors could not be measured', work)
  }
}
