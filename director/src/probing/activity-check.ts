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
  type ReportedActivity,
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

/** The application could not be asked, or its answer tells nothing of its activity. */
type NoActivity = Required<Pick<ActivityCheckResult, 'finding'>> &
  Pick<ActivityCheckResult, 'status'>

export function createActivityChecks(deps: ActivityChecksDeps): ProbeJobs {
  const { clock, fetch = fetchJson } = deps

  async function run(
    command: ActivityCheckCommand,
    aborted: AbortSignal,
  ): Promise<Omit<ActivityCheckResult, 'director'>> {
    const { workspace, generation, address, path, deadlineMs } = command
    const signal = AbortSignal.any([aborted, abortAfter(deadlineMs)])

    async function check(): Promise<ReportedActivity | NoActivity> {
      const first = await fetch({ address, workspace, path: untracked(path) }, signal)
      if ('finding' in first) return first
      const reported = readActivity(first.json, clock.wall())
      const kernelCount = kernelsCounted(path, first.json)
      if (kernelCount === undefined)
        return Object.keys(reported).length === 0 ? { finding: 'not_activity' } : reported
      if (kernelCount === 0) return { busy: false, ...reported }
      // The status counts kernels, but a silent kernel may be computing: only the list says which kernels are busy.
      const kernels = await fetch(
        { address, workspace, path: untracked(kernelsPath(path)) },
        signal,
      )
      if ('finding' in kernels) return kernels
      if (!isArrayOfKernels(kernels.json)) return { finding: 'not_activity' }
      return combine(reported, readActivity(kernels.json, clock.wall()))
    }
    return { workspace, generation, ...(await check()) }
  }

  return createProbeJobs({ ...deps, run, done: 'checked' })
}
