// The exit code of a container that has ended, and the last lines that it logged.
import type Docker from 'dockerode'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault } from '../client/fault.ts'
import { inspectContainer } from '../client/inspect.ts'
import { lastLines } from './log-frames.ts'

export interface ExitReport {
  readonly exitCode?: number
  readonly log: readonly string[]
}

const bounds = { lines: 40, lineLength: 500 }

/** Does not reject for a fault of the engine: the report is only an addition to a failure that is known. */
export async function readExitReport(
  client: EngineClient,
  generation: string,
  signal: AbortSignal,
  lines = bounds.lines,
): Promise<ExitReport> {
  try {
    const info = await inspectContainer(client, generation, { signal })
    if (info === undefined) return { log: [] }
    const options = { stdout: true, stderr: true, tail: lines, follow: false as const }
    const framed = await client.call('container-logs', { signal }, (abortSignal) =>
      client.docker.getContainer(generation).logs({ ...options, abortSignal }),
    )
    const log = [...lastLines(framed, { ...bounds, lines }), ...remarks(info)]
    const ended = info.State.Status === 'exited' || info.State.Status === 'dead'
    return ended ? { exitCode: info.State.ExitCode, log } : { log }
  } catch (error) {
    if (isFault(error)) return { log: [] }
    throw error
  }
}

function remarks({ State, HostConfig }: Docker.ContainerInspectInfo): readonly string[] {
  const limit = HostConfig.Memory ?? 0
  const mebibytes = Math.round(limit / 1024 ** 2)
  return [
    ...(State.OOMKilled
      ? [`[berth] killed: it used more than its ${mebibytes} MiB of memory`]
      : []),
    ...(State.Error === '' ? [] : [`[berth] ${State.Error.slice(0, bounds.lineLength)}`]),
  ]
}
