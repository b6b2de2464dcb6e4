// A container tries to use more memory and processes than its limits, and reads how many processors it has.
import type { LimitFacts } from '../../doctor/facts.ts'
import type { RunShortly } from '../containers/short-run.ts'
import { doctorRole, words, type TrialDeps } from './trial.ts'

const trialCpus = 0.5
const memoryBytes = 32 * 1024 ** 2
const pids = 16

/**
 * `tail` keeps a line without an end in memory: 128 MiB, and no more if nothing stops it. The shell ends at the first
 * process that it may not start.
 */
const script = `
cat /sys/fs/cgroup/cpu.max 2>/dev/null || cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us /sys/fs/cgroup/cpu/cpu.cfs_period_us | tr '\\n' ' ' | sed 's/^/cpu /'
echo
if head -c ${4 * memoryBytes} /dev/zero | tail -n 1 >/dev/null; then echo memory free; else echo memory bound; fi
(i=0; while [ $i -lt ${2 * pids} ]; do sleep 1 & i=$((i + 1)); done; echo pids free) 2>/dev/null || echo pids bound
`

export async function tryLimits(
  { image }: TrialDeps,
  runShortly: RunShortly,
  signal: AbortSignal,
): Promise<LimitFacts> {
  const order = {
    role: doctorRole,
    image,
    command: ['sh', '-c', script] as const,
    host: {
      NetworkMode: 'none',
      Memory: memoryBytes,
      MemorySwap: memoryBytes,
      PidsLimit: pids,
      NanoCpus: trialCpus * 1e9,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
    },
    withinMs: 30_000,
  }
  const { output } = await runShortly(order, signal)
  return parseLimits(output)
}

export function parseLimits(output: string): LimitFacts {
  const [, memory] = /^memory (bound|free)$/m.exec(output) ?? []
  const [, processes] = /^pids (bound|free)$/m.exec(output) ?? []
  if (memory === undefined || processes === undefined) throw new Error(words(output))
  const [, quota, period] = /^(?:cpu )?(\d+) (\d+)\s*$/m.exec(output) ?? []
  return {
    memory: memory === 'bound' ? 'bound' : 'free',
    pids: processes === 'bound' ? 'bound' : 'free',
    cpus: quota === undefined ? undefined : Number(quota) / Number(period),
    madeWithCpus: trialCpus,
  }
}
