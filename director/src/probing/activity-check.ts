// Asks applications whether they are busy, as the spawner wishes, at their activity path.
import type { Clock } from '@berth/shared/clock'
import type { AskCommand, AskResult } from '@berth/shared/contract'
import {
  isArrayOfKernels,
  kernelsCounted,
  kernelsPath,
  readActivity,
  together,
  untracked,
} from './activity-answer.ts'
import { createErrands, type ErrandDeps, type Errands } from './probe-jobs.ts'
import { fetchJson, type FetchJson } from './fetch-json.ts'

export interface AskerDeps extends Omit<ErrandDeps<Omit<AskResult, 'director'>>, 'run' | 'done'> {
  readonly clock: Clock
  readonly fetch?: FetchJson
}

export function createAsker(deps: AskerDeps): Errands {
  const { clock, fetch = fetchJson } = deps

  async function run(
    command: AskCommand,
    aborted: AbortSignal,
  ): Promise<Omit<AskResult, 'director'>> {
    const { workspace, generation, address, path, deadlineMs } = command
    const signal = AbortSignal.any([aborted, AbortSignal.timeout(deadlineMs)])
    const place = { address, host: `${workspace}:${address.port}` }

    async function said() {
      const first = await fetch({ ...place, path: untracked(path) }, signal)
      const told = readActivity(first, clock.wall())
      const kernelCount = kernelsCounted(path, first)
      if (kernelCount === undefined) return told
      if (kernelCount === 0) return { busy: false, ...told }
      // It counts kernels, but a silent one may compute: which are busy, only their list says.
      const kernels = await fetch({ ...place, path: untracked(kernelsPath(path)) }, signal)
      if (!isArrayOfKernels(kernels)) return {}
      return together(told, readActivity(kernels, clock.wall()))
    }
    return { workspace, generation, ...(await said()) }
  }

  return createErrands({ ...deps, run, done: 'asked' })
}
