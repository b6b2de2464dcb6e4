// What an ended container leaves: its exit code and the last lines it logged.
import type Docker from 'dockerode'
import { unlessGone, type Call } from '../client/calls.ts'
import { isFault } from '../client/fault.ts'
import { lastLines } from './log-frames.ts'

export interface LastWords {
  readonly exitCode?: number
  readonly log: readonly string[]
}

const bounds = { lines: 40, lineLength: 500 }

/** Never rejects: without the words the failure is told all the same. */
export async function readLastWords(
  deps: { docker: Docker; call: Call },
  generation: string,
  signal: AbortSignal,
  lines = bounds.lines,
): Promise<LastWords> {
  const container = deps.docker.getContainer(generation)
  try {
    const info = await unlessGone(
      deps.call('container-inspect', { signal }, (abortSignal) =>
        container.inspect({ abortSignal }),
      ),
    )
    if (info === undefined) return { log: [] }
    const options = { stdout: true, stderr: true, tail: lines, follow: false as const }
    const framed = await deps.call('container-logs', { signal }, (abortSignal) =>
      container.logs({ ...options, abortSignal }),
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
