// What a container leaves behind: the last lines that it logged, what its health check said, whether the kernel killed it
// for memory.
import type Docker from 'dockerode'
import type { LastWords } from '../../policy/domain.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { isFault } from '../client/fault.ts'
import { inspectContainer } from '../client/inspect.ts'
import { cleanLines, lastLines } from './log-frames.ts'

const bounds = { lines: 40, lineLength: 500 }
/** Of the output of a health check. */
const checkBounds = { lines: 3, lineLength: 200 }

/** Does not reject for a fault of the engine: the report is only an addition to a failure that is known. */
export async function readLastWords(
  client: EngineClient,
  generation: string,
  signal: AbortSignal,
  lines = bounds.lines,
): Promise<LastWords> {
  try {
    const info = await inspectContainer(client, generation, { signal })
    if (info === undefined) return { log: [] }
    const options = { stdout: true, stderr: true, tail: lines, follow: false as const }
    const framed = await client.call('container-logs', { signal }, (abortSignal) =>
      client.docker.getContainer(generation).logs({ ...options, abortSignal }),
    )
    const { State, HostConfig } = info
    const health = lastCheck(State.Health)
    return {
      log: [...lastLines(framed, { ...bounds, lines }), ...remarks(info)],
      ...(health === undefined ? {} : { health }),
      ...(State.OOMKilled ? { outOfMemory: HostConfig.Memory ?? 0 } : {}),
    }
  } catch (error) {
    if (isFault(error)) return { log: [] }
    throw error
  }
}

/** @returns `undefined` without a health check, and for one that succeeded */
function lastCheck(health: Docker.ContainerInspectInfo['State']['Health']): string | undefined {
  const last = health?.Log.at(-1)
  if (last === undefined || last.ExitCode === 0) return undefined
  const said = cleanLines(last.Output, checkBounds).join(' ')
  return said === '' ? `nothing, and it exited with code ${last.ExitCode}` : said
}

function remarks({ State, HostConfig }: Docker.ContainerInspectInfo): readonly string[] {
  const limit = HostConfig.Memory ?? 0
  const mebibytes = Math.round(limit / 1024 ** 2)
  return [
    ...(State.OOMKilled
      ? [`[berth] killed: it used more than its ${mebibytes} MiB of memory`]
      : []),
  ]
}
