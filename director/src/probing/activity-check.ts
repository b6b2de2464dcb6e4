// Checks at its activity path whether an application is busy, when the spawner orders it.
import { abortAfter } from '@berth/shared/deadline'
import type { Clock } from '@berth/shared/clock'
import type { ActivityCheckCommand, ActivityCheckResult } from '@berth/shared/contract'
import {
  isArrayOfKernels,
  kernelsCounted,
  kernelsPath,
  readActivity,
  combine,
  untracked,
} from './activity-answer.ts'
import { createProbeJobs, type ProbeJobsDeps, type ProbeJobs } from './probe-jobs.ts'
import { fetchJson, type FetchJson } from './fetch-json.ts'

export interface ActivityChecksDeps extends Omit<
  ProbeJobsDeps<Omit<ActivityCheckResult, 'director'>>,
  'run' | 'done'
> {
  readonly clock: Clock
  readonly fetch?: FetchJson
}

export function createActivityChecks(deps: ActivityChecksDeps): ProbeJobs {
  const { clock, fetch = fetchJson } = deps

  async function run(
    command: ActivityCheckCommand,
    aborted: AbortSignal,
  ): Promise<Omit<ActivityCheckResult, 'director'>> {
    const { workspace, generation, address, path, deadlineMs } = command
    const signal = AbortSignal.any([aborted, abortAfter(deadlineMs)])

    async function check() {
      const first = await fetch({ address, workspace, path: untracked(path) }, signal)
      const reported = readActivity(first, clock.wall())
      const kernelCount = kernelsCounted(path, first)
      if (kernelCount === undefined) return reported
      if (kernelCount === 0) return { busy: false, ...reported }
      // The status counts kernels, but a silent kernel may be computing: only the list says which kernels are busy.
      const kernels = await fetch(
        { address, workspace, path: untracked(kernelsPath(path)) },
        signal,
      )
      if (!isArrayOfKernels(kernels)) return {}
      return combine(reported, readActivity(kernels, clock.wall()))
    }
    return { workspace, generation, ...(await check()) }
  }

  return createProbeJobs({ ...deps, run, done: 'checked' })
}
