// Requests at a steady rate, whatever the answers take: the time of each counts from when it was due, so a proxy that
// stalls is not measured less often. In a process of its own, so that it can be given a core.
import { run } from '../../e2e/run/command.ts'
import { onCores } from '../run/on-cores.ts'

export interface SteadyOptions {
  readonly at: { readonly host: string; readonly port: number }
  readonly core: string
  readonly heads: readonly Readonly<Record<string, string>>[]
  readonly perSecond: number
  readonly seconds: number
  readonly connections: number
}

export interface SteadyLoad {
  readonly medianMs: number
  readonly p99Ms: number
}

/** @throws Error if an answer is no 200 */
export async function steadyLoad({ core, ...options }: SteadyOptions): Promise<SteadyLoad> {
  const program = new URL('steady-client.ts', import.meta.url).pathname
  const said = await run(...onCores(core, process.execPath, [program]), {
    input: JSON.stringify(options),
    withinMs: (options.seconds + 30) * 1_000,
  })
  return JSON.parse(said) as SteadyLoad
}
