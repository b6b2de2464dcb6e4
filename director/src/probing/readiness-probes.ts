// The readiness probes that the spawner orders, and their results.
import type { Clock } from '@berth/shared/clock'
import type { ProbeResult } from '@berth/shared/contract'
import { pause } from '@berth/shared/timer'
import { createProbeJobs, type ProbeJobsDeps, type ProbeJobs } from './probe-jobs.ts'
import { createProbe, tryProbeOnce, type TryProbe } from './probe.ts'

export interface ReadinessProbesDeps extends Omit<
  ProbeJobsDeps<Omit<ProbeResult, 'director'>>,
  'run' | 'done'
> {
  readonly clock: Clock
  readonly tryProbe?: TryProbe
}

export function createReadinessProbes(deps: ReadinessProbesDeps): ProbeJobs {
  const { clock, setTimer, tryProbe = tryProbeOnce } = deps
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => pause(setTimer, ms, signal)
  return createProbeJobs({ ...deps, run: createProbe({ clock, tryProbe, sleep }), done: 'probed' })
}
