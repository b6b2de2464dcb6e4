// What templates need and the engine does not have: a start would find that out otherwise, one template after the other.
import type { Template } from '../../templates/template.ts'
import type { EngineClient } from '../client/engine-client.ts'
import { inspectNetwork } from '../client/inspect.ts'

/** @returns one sentence each */
export async function findMissing(
  deps: EngineClient,
  templates: readonly Template[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { docker, call } = deps
  const { Runtimes } = (await call('info', { signal }, () => docker.info())) as {
    readonly Runtimes?: Readonly<Record<string, unknown>>
  }
  const runtimes = Object.keys(Runtimes ?? {}).sort()
  const missing: string[] = []
  for (const { name, spec } of templates) {
    if (spec.runtime !== '' && !runtimes.includes(spec.runtime))
      missing.push(
        `template ${name}: the engine has no runtime ${spec.runtime}; it has ${runtimes.join(', ')}`,
      )
    for (const network of spec.networks)
      if ((await inspectNetwork(deps, network, { signal })) === undefined)
        missing.push(`template ${name}: the engine has no network ${network}`)
  }
  return missing
}
