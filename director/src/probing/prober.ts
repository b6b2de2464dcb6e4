// The probes that the spawner asked for, and their results.
import type { Clock } from '@berth/shared/clock'
import type { ProbeResult } from '@berth/shared/contract'
import { pause } from '../leases/timer.ts'
import { createErrands, type ErrandDeps, type Errands } from './probe-jobs.ts'
import { createProbe, tryProbeOnce, type TryProbe } from './probe.ts'

export interface ProberDeps extends Omit<
  ErrandDeps<Omit<ProbeResult, 'director'>>,
  'run' | 'done'
> {
  readonly clock: Clock
  readonly tryProbe?: TryProbe
}

export function createProber(deps: ProberDeps): Errands {
  const { clock, after, tryProbe = tryProbeOnce } = deps
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => pause(after, ms, signal)
  return createErrands({ ...deps, run: createProbe({ clock, tryProbe, sleep }), done: 'probed' })
}
