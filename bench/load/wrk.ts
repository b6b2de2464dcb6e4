// wrk, which sends as many requests as its connections carry. https://github.com/wg/wrk
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '../../e2e/run/command.ts'
import type { BenchTools } from '../run/tools.ts'

export interface Load {
  readonly requestsPerSecond: number
  readonly medianMs: number
  readonly p99Ms: number
}

export interface LoadOptions {
  readonly tools: BenchTools
  readonly folder: string
  readonly core: string
  readonly at: { readonly host: string; readonly port: number }
  /** The heads that are sent in turn. */
  readonly heads: readonly Readonly<Record<string, string>>[]
  readonly connections: number
  readonly seconds: number
}

/** @throws Error if any answer is not a 2xx or 3xx, or a connection failed: that would not be the load that was asked for */
export async function loadWith(options: LoadOptions): Promise<Load> {
  const { tools, folder, core, at, heads, connections, seconds } = options
  const script = join(folder, 'wrk.lua')
  await writeFile(script, scriptOf(heads))
  const said = await run(
    'taskset',
    [
      ...['--cpu-list', core, tools.wrk, '--threads', '1', '--connections', String(connections)],
      ...['--duration', `${seconds}s`, '--timeout', '10s', '--script', script],
      `http://${at.host}:${at.port}/`,
    ],
    { env: tools.env, withinMs: (seconds + 20) * 1_000 },
  )
  const line = said.split('\n').find((text) => text.startsWith('result '))
  if (line === undefined) throw new Error(`wrk said: ${said}`)
  const result = JSON.parse(line.slice('result '.length)) as Load & {
    readonly failed: Readonly<Record<string, number>>
  }
  const failed = Object.entries(result.failed).filter(([, times]) => times > 0)
  if (failed.length > 0) throw new Error(`requests failed: ${JSON.stringify(failed)}`)
  return result
}

/** Written in Lua because wrk takes its requests so. */
function scriptOf(heads: readonly Readonly<Record<string, string>>[]): string {
  const tables = heads.map((head) => {
    const pairs = Object.entries(head).map(
      ([name, value]) => `[${JSON.stringify(name)}]=${JSON.stringify(value)}`,
    )
    return `{${pairs.join(',')}}`
  })
  return `local heads = { ${tables.join(',\n')} }
local requests = {}
local turn = 0
init = function()
  for index, head in ipairs(heads) do requests[index] = wrk.format("GET", "/", head) end
end
request = function()
  turn = turn % #requests + 1
  return requests[turn]
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('result {"requestsPerSecond":%.1f,"medianMs":%.3f,"p99Ms":%.3f,',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
  io.write(string.format('"failed":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d}}\\n',
    errors.connect, errors.read, errors.write, errors.status, errors.timeout))
end
`
}
